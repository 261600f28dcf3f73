"""Checksums of what is sent: a file is read once, whatever is wanted of it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from typing import NamedTuple

from nephos.lib import ports
from nephos.sync import errors
from nephos.sync import ports as sync_ports
from nephos.sync.connections.s3.exchange import FileRange

_BLOCK_BYTES = 256 * 1024  # fits into a core's own cache, so that the second sum of a block costs no memory
_SLICE_SECONDS = 0.25


class Sums(NamedTuple):
    """What was worked out in one reading."""

    sha256: str
    crc: int | None = None
    md5: bytes = b""


def sha256(piece: FileRange, stop: ports.Waiter) -> str:
    """Of a piece of a file. Raises SourceChanged if the file ends too early."""
    return take(piece, stop, ()).sha256


def md5(piece: FileRange, stop: ports.Waiter) -> str:
    """What most servers call the ETag of a part; only to recognise a part, never as a proof."""
    digest = hashlib.md5(usedforsecurity=False)
    for block in _blocks(piece, stop):
        digest.update(block)
    return digest.hexdigest()


def take(piece: FileRange, stop: ports.Waiter, more: tuple[str, ...]) -> Sums:
    """SHA-256 and more: `crc`, `md5`. Raises SourceChanged if the file ends too early."""
    whole, second = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    running = Crc() if "crc" in more else None
    for block in _blocks(piece, stop):
        whole.update(block)
        if running is not None:
            running.update(block)
        if "md5" in more:
            second.update(block)
    crc = running.value if running is not None else None
    return Sums(whole.hexdigest(), crc, second.digest() if "md5" in more else b"")


class Crc:
    """CRC64NVME as it grows."""

    def __init__(self) -> None:
        from awscrt import checksums  # ten milliseconds that nobody pays who needs none

        self._add = checksums.crc64nvme
        self._join = checksums.combine_crc64nvme
        self.value = 0

    def update(self, block: bytes | memoryview) -> None:
        """More bytes."""
        self.value = self._add(block, self.value)

    def join(self, other: int, length: int) -> None:
        """So many more bytes, whose own sum is known."""
        self.value = self._join(self.value, other, length)


def crc64nvme_of(body: bytes) -> int:
    """Of bytes."""
    running = Crc()
    running.update(body)
    return running.value


def shown(crc: int) -> str:
    """As the header wants it: base 64 of eight bytes."""
    return base64.b64encode(crc.to_bytes(8, "big")).decode()


class Reading:
    """The one reading of a file that goes in pieces: SHA-256 of the whole, and a CRC of each for who sends it."""

    def __init__(self, pieces: Mapping[int, FileRange], *, with_crc: bool) -> None:
        self._pieces = pieces
        self._crcs: dict[int, Future[int]] = {number: Future() for number in pieces} if with_crc else {}

    def run(self, stop: ports.Waiter) -> Sums:
        """Raises SourceChanged, Interrupted."""
        whole, joined = hashlib.sha256(), Crc() if self._crcs else None
        try:
            for number, piece in self._pieces.items():
                own = Crc() if joined is not None else None
                for block in _blocks(piece, stop):
                    whole.update(block)
                    if own is not None:
                        own.update(block)
                if own is not None and joined is not None:
                    joined.join(own.value, piece.length)
                    self._crcs[number].set_result(own.value)
        finally:
            for future in self._crcs.values():
                future.cancel()  # nobody waits for what will not come
        return Sums(whole.hexdigest(), joined.value if joined is not None else None)

    def crc_of(self, number: int, stop: ports.Waiter) -> int | None:
        """Waits until the reading has passed the piece; None if no sum was wanted. Raises Interrupted."""
        future = self._crcs.get(number)
        while future is not None:
            if stop.is_set() or future.cancelled():
                raise errors.Interrupted
            try:
                return future.result(_SLICE_SECONDS)
            except NotYet:
                continue
        return None


def _blocks(piece: FileRange, stop: ports.Waiter) -> Iterator[memoryview]:
    """One buffer, filled again and again: a block is gone when the next one is asked for."""
    buffer = memoryview(bytearray(min(_BLOCK_BYTES, max(piece.length, 1))))
    at, end = piece.start, piece.start + piece.length
    while at < end:
        if stop.is_set():
            raise errors.Interrupted
        count = sync_ports.read_into(piece.handle, buffer[: end - at], at)
        if not count:
            raise errors.SourceChanged
        at += count
        yield buffer[:count]
