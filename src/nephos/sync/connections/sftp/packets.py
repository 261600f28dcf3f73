"""The packets of SFTP version 3 (draft-ietf-secsh-filexfer-02), as far as we speak it. Pure."""

from __future__ import annotations

import stat
import struct
from dataclasses import dataclass
from enum import IntEnum, IntFlag

VERSION = 3
USUAL_WRITE_BYTES = 32 * 1024  # what every server takes
MOST_PACKET_BYTES = 1 << 20


class Kind(IntEnum):
    """Types of packets."""

    INIT = 1
    VERSION = 2
    OPEN = 3
    CLOSE = 4
    READ = 5
    WRITE = 6
    LSTAT = 7
    FSETSTAT = 10
    OPENDIR = 11
    READDIR = 12
    REMOVE = 13
    MKDIR = 14
    RMDIR = 15
    STAT = 17
    RENAME = 18
    STATUS = 101
    HANDLE = 102
    DATA = 103
    NAME = 104
    ATTRIBUTES = 105
    EXTENDED = 200
    EXTENDED_REPLY = 201


class Status(IntEnum):
    """What a server says of a request."""

    OK = 0
    END = 1
    NO_SUCH_FILE = 2
    DENIED = 3
    FAILURE = 4
    BAD_MESSAGE = 5
    NO_CONNECTION = 6
    CONNECTION_LOST = 7
    UNSUPPORTED = 8


class Mode(IntFlag):
    """How a file is opened."""

    READ = 1
    WRITE = 2
    CREATE = 8
    TRUNCATE = 16
    EXCLUSIVE = 32


POSIX_RENAME = b"posix-rename@openssh.com"
FSYNC = b"fsync@openssh.com"
LIMITS = b"limits@openssh.com"
COPY = b"copy-data"

_U32 = struct.Struct(">I")
_U64 = struct.Struct(">Q")
_HEAD = struct.Struct(">IBI")
_TIMES = struct.Struct(">III")
_WHERE = struct.Struct(">QI")
_HAS_SIZE, _HAS_OWNER, _HAS_MODE, _HAS_TIMES = 1, 2, 4, 8


@dataclass(frozen=True, slots=True)
class Attributes:
    """What is known of a file over there; None where the server does not say."""

    bytes: int | None = None
    mode: int | None = None
    mtime: int | None = None

    @property
    def is_folder(self) -> bool:
        return self.mode is not None and stat.S_ISDIR(self.mode)

    @property
    def is_file(self) -> bool:
        return self.mode is None or stat.S_ISREG(self.mode)


class Malformed(ValueError):
    """The server sent something that is no SFTP."""


class Reader:
    """Takes a packet apart. Raises Malformed where it is too short."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0

    def u32(self) -> int:
        """A number of four bytes."""
        return int.from_bytes(self._take(4), "big")

    def u64(self) -> int:
        """A number of eight bytes."""
        return int.from_bytes(self._take(8), "big")

    def text(self) -> bytes:
        """Bytes with their length in front."""
        return self._take(self.u32())

    def attributes(self) -> Attributes:
        """Size, mode and time, if they are there."""
        flags = self.u32()
        size = self.u64() if flags & _HAS_SIZE else None
        if flags & _HAS_OWNER:
            self._take(8)
        mode = self.u32() if flags & _HAS_MODE else None
        mtime = (self.u32(), self.u32())[1] if flags & _HAS_TIMES else None
        if flags & 0x80000000:
            for _ in range(self.u32()):
                self.text(), self.text()
        return Attributes(size, mode, mtime)

    def pairs(self) -> dict[bytes, bytes]:
        """All that is left, as names and values."""
        found = {}
        while self._at < len(self._body):
            name = self.text()
            found[name] = self.text()
        return found

    def _take(self, length: int) -> bytes:
        piece = self._body[self._at : self._at + length]
        if len(piece) != length:
            raise Malformed("a packet is cut short")
        self._at += length
        return piece


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: its type and what follows the request's number."""

    kind: int
    body: bytes

    @property
    def status(self) -> int:
        """OK also for answers that carry what was asked for."""
        return int.from_bytes(self.body[:4], "big") if self.kind == Kind.STATUS else Status.OK

    @property
    def message(self) -> str:
        """What the server says of it, for people."""
        if self.kind != Kind.STATUS or len(self.body) <= 8:
            return ""
        return Reader(self.body[4:]).text().decode("utf-8", "replace")[:200]

    @property
    def text(self) -> bytes:
        """The handle or the data."""
        return Reader(self.body).text()

    @property
    def attributes(self) -> Attributes:
        """Of a file."""
        return Reader(self.body).attributes()

    @property
    def names(self) -> list[tuple[bytes, Attributes]]:
        """What lies in a folder."""
        reader = Reader(self.body)
        found = []
        for _ in range(reader.u32()):
            name = reader.text()
            reader.text()  # the line of `ls -l`
            found.append((name, reader.attributes()))
        return found


OK = Reply(Kind.STATUS, bytes(4))
"""The answer that comes most: made once."""


def u32(number: int) -> bytes:
    """A number in four bytes."""
    return _U32.pack(number)


def u64(number: int) -> bytes:
    """A number in eight bytes."""
    return _U64.pack(number)


def text(raw: bytes) -> bytes:
    """Bytes with their length in front."""
    return _U32.pack(len(raw)) + raw


def head(kind: int, request: int, following: int) -> bytes:
    """What stands in front of the `following` bytes of a request."""
    return _HEAD.pack(following + 5, kind, request)


def write(handle: bytes, start: int, length: int) -> bytes:
    """What stands in front of the bytes of a write; the handle as it came."""
    return text(handle) + _WHERE.pack(start, length)


def hello() -> bytes:
    """The first packet."""
    return _U32.pack(5) + bytes([Kind.INIT]) + _U32.pack(VERSION)


def times(mtime_ns: int) -> bytes:
    """Attributes that set the time of change; version 3 knows whole seconds of 32 bits."""
    seconds = max(0, min(mtime_ns // 1_000_000_000, 0xFFFFFFFF))
    return _TIMES.pack(_HAS_TIMES, seconds, seconds)


NO_ATTRIBUTES = _U32.pack(0)
