"""What single and multipart uploads share: the open source, its metadata, and the proof at the end."""

from __future__ import annotations

import functools
import mimetypes
import os
from dataclasses import dataclass

from nephos.lib import ports
from nephos.sync import errors, fingerprints
from nephos.sync.connections import base
from nephos.sync.connections.s3 import sums, vouching
from nephos.sync.connections.s3.calls import META, TRANSFER, Calls
from nephos.sync.connections.s3.exchange import FileRange
from nephos.sync.states import Proof

_READING = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


@dataclass(frozen=True, slots=True)
class Sending:
    """One item with its source open, and everything that its upload needs."""

    item: base.Item
    handle: int
    calls: Calls
    profile: base.Profile
    tuning: base.Tuning
    journal: base.TransferJournal
    stop: ports.Waiter

    @property
    def key(self) -> str:
        return self.calls.endpoint.key(self.item.path)

    @property
    def size_bytes(self) -> int:
        return self.item.fingerprint.size_bytes

    def pieces(self, size: int) -> dict[int, FileRange]:
        """The file in parts of a size, by their number."""
        starts = range(0, self.size_bytes, size)
        return {
            number: FileRange(self.handle, start, min(size, self.size_bytes - start))
            for number, start in enumerate(starts, start=1)
        }

    def check_source(self) -> None:
        """Raises SourceChanged if the open file or the name is no longer the version that is being sent."""
        if fingerprints.of(os.fstat(self.handle)) != self.item.fingerprint:
            raise errors.SourceChanged

    def metadata(self) -> dict[str, str]:
        """Headers that stay with the object."""
        return metadata(self.item)

    @property
    def vouching(self) -> vouching.Vouching:
        return vouching.of(self.profile, secure=self.calls.endpoint.secure)

    def is_read_back(self, *, checked: bool) -> bool:
        """Whether the proof is to get the object back, as nobody else has checked it."""
        if self.item.verify is base.Verify.AUTO:
            return not checked
        return self.item.verify is base.Verify.READ_BACK

    def prove(self, known: sums.Sums, *, checked: bool) -> Proof:
        """Make sure that the object is what was read here. Raises Mismatch."""
        if not self.is_read_back(checked=checked):
            return Proof.TRANSPORT if self.item.verify is base.Verify.NONE else Proof.SERVER
        back, count = sums.Crc(), 0

        def add(block: bytes) -> None:
            nonlocal count
            count += len(block)
            back.update(block)

        self.calls.get(self.key, add, stop=self.stop)
        if count != self.size_bytes or back.value != known.crc:
            raise errors.Mismatch
        return Proof.READ_BACK


def metadata(item: base.Item) -> dict[str, str]:
    """Headers that stay with the object; the transfer id proves a completion whose answer was lost."""
    return {
        "content-type": type_of(os.path.splitext(item.path)[1]),  # noqa: PTH122 - a hundred thousand times
        f"{META}{TRANSFER}": item.transfer,
        f"{META}nephos-mtime-ns": str(item.fingerprint.mtime_ns),
    }


def open_source(item: base.Item) -> int:
    """A handle of the file. Raises SourceGone, SourceUnreadable."""
    try:
        return os.open(item.source, _READING)
    except FileNotFoundError as error:
        raise errors.SourceGone from error
    except OSError as error:
        raise errors.SourceUnreadable(f"The file cannot be read: {error.strerror or error}.") from error


@functools.lru_cache(maxsize=256)
def type_of(ending: str) -> str:
    """What a file's ending says that it is."""
    return mimetypes.guess_type(f"file{ending}")[0] or "application/octet-stream"
