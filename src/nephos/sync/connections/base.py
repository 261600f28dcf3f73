"""What a connection is: the protocol, and the values that pass through it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple, Protocol, runtime_checkable

from nephos.lib import ports
from nephos.sync.errors import SyncError
from nephos.sync.fingerprints import Fingerprint
from nephos.sync.states import Proof


class Verify(StrEnum):
    """How sure a destination wants to be."""

    AUTO = "auto"  # the server's word where it was probed to check, else read back
    READ_BACK = "read-back"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a kind of storage can do, so that nobody has to ask for its name."""

    resumes: bool
    copies: bool
    lists: bool
    renames_atomically: bool


class Item(NamedTuple):
    """One version of one file on its way: where it is, where it goes below the base, and the id of this transfer."""

    id: int
    source: bytes
    path: str
    fingerprint: Fingerprint
    transfer: str
    verify: Verify = Verify.AUTO
    grown: bool = False  # its beginning may have gone up while it was still being written


class Delivered(NamedTuple):
    """What a connection can say of a file that arrived whole."""

    key: str
    bytes: int
    sha256: str
    proof: Proof
    etag: str = ""
    version: str = ""


class Outcome(NamedTuple):
    """How the sending of one item ended: exactly one of the two is there."""

    item: Item
    delivered: Delivered | None = None
    error: SyncError | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A piece that the other side acknowledged."""

    number: int
    bytes: int
    etag: str
    crc: str = ""
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Intent:
    """What is about to be sent in pieces, and under which name the other side knows it."""

    transfer: str
    fingerprint: Fingerprint
    key: str
    handle: str  # an upload id, or the name of a temporary file
    part_bytes: int = 0
    offset: int = 0
    parts: tuple[Part, ...] = ()
    prefix_sha256: str = ""  # of what is before the offset, where it was sent behind a writer


@dataclass(frozen=True, slots=True)
class Remote:
    """A file as the destination tells of it."""

    key: str
    bytes: int
    etag: str = ""
    version: str = ""
    metadata: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Profile:
    """What a probe found out about a destination; kept, so that it is asked once."""

    checks_content: bool = False
    can_delete: bool = True
    folds_names: bool = False  # names that differ only in case are one there
    note: str = ""
    sums: str = ""  # names of those that the server checks, where a kind of storage knows several


@dataclass(frozen=True, slots=True)
class Tuning:
    """Sizes and counts that suit the line."""

    single_put_bytes: int
    part_bytes: int
    part_threads: int
    small_threads: int = 8
    folder: Path | None = None  # where a connection may keep what it must remember: keys of servers that are trusted
    plugins: Path | None = None  # where people's own classes are


class TransferJournal(Protocol):
    """Where a connection notes what it must know after a crash. `intent` returns when the note is durable."""

    def unfinished(self, item: Item) -> Intent | None: ...
    def intent(self, item: Item, intent: Intent) -> None: ...
    def part(self, item: Item, part: Part) -> None: ...
    def offset(self, item: Item, offset: int, prefix_sha256: str = "") -> None: ...
    def adopt(self, item: Item, intent: Intent) -> None:
        """What went up of an earlier state of the file is kept for this one, as far as the intent still names it."""
        ...

    def verifying(self, item: Item) -> None: ...
    def forget(self, item: Item) -> None: ...


class Connection(Protocol):
    """A destination that is open. All methods may be called from several threads at once."""

    capabilities: Capabilities

    def send(self, items: Iterable[Item], *, journal: TransferJournal, stop: ports.Waiter) -> Iterator[Outcome]:
        """Deliver many files, many at a time; one outcome each, as they end. Raises nothing for a single file."""
        ...

    def look(self, path: str) -> Remote | None:
        """What is there under a path, None if nothing is."""
        ...

    def list(self, prefix: str = "") -> Iterator[Remote]:
        """All files below a prefix; `key` is relative to the base."""
        ...

    def copy(self, source: str, target: str) -> None:
        """Copy within the destination, without the content passing here."""
        ...

    def delete(self, path: str) -> None:
        """Remove one file; an absent one is no error."""
        ...

    def probe(self) -> Profile:
        """Try what the destination allows and whether it checks what it gets."""
        ...

    def close(self) -> None:
        """Let go of sockets and threads."""
        ...


@runtime_checkable
class Paced(Protocol):
    """A stop event that also says how fast it may go."""

    @property
    def is_limited(self) -> bool: ...

    def take(self, count: int) -> None:
        """So many bytes went; returns when more may go, or at a stop."""
        ...


def pace(stop: ports.Waiter, count: int) -> None:
    """Called by a connection after so many bytes of content were handed to the network or the disk."""
    if isinstance(stop, Paced):
        stop.take(count)


@runtime_checkable
class Reader(Protocol):
    """A connection whose files can be had back: for restoring, for proofs, for audits."""

    def read(self, path: str, sink: Callable[[bytes], object], *, start: int, stop: ports.Waiter) -> None:
        """Hand the bytes of a file from an offset on to the sink. Raises SyncError; NotThere if there is none."""
        ...


@runtime_checkable
class Grower(Protocol):
    """A connection that takes the beginning of a file which is still being written; `send` goes on from there."""

    @property
    def step_bytes(self) -> int:
        """So much more of the file is worth a call."""
        ...

    def grow(
        self, item: Item, expected_bytes: int, *, flush: bool, journal: TransferJournal, stop: ports.Waiter
    ) -> int:
        """Send what is there, a few steps at most, and note it with its sum; how many bytes of it are there now.

        Nothing shows under the final name. `flush` sends also what is less than a step. Raises SyncError.
        """
        ...

    def abandon(self, item: Item, *, journal: TransferJournal, stop: ports.Waiter) -> None:
        """Nobody will go on with it: remove what went up. Raises SyncError."""
        ...


@runtime_checkable
class Tidier(Protocol):
    """A connection that can have unfinished things of ours lying about."""

    def tidy(self, path: str, *, handle: str, item: int) -> None:
        """Remove what this intent's handle stands for; without one, the hidden file of the small item of this id.

        What is not there is no error. Raises SyncError.
        """
        ...


@runtime_checkable
class Mover(Protocol):
    """A connection that renames, which costs nothing and leaves nothing of the old name."""

    def move(self, source: str, target: str) -> None:
        """Give a file another name below the base, in place of what is there. Raises SyncError."""
        ...


class _Never:
    """A stop that never comes."""

    def is_set(self) -> bool:
        return False

    def wait(self, timeout: float | None = None) -> bool:
        ports.pause(timeout or 0)
        return False


NEVER = _Never()
