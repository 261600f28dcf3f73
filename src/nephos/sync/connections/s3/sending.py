"""What single and multipart uploads share: the open source, its metadata, and the proof at the end."""

from __future__ import annotations

import functools
import hashlib
import mimetypes
import os
from dataclasses import dataclass

from nephos.lib import ports
from nephos.sync import errors, fingerprints
from nephos.sync.connections import base
from nephos.sync.connections.s3 import sums
from nephos.sync.connections.s3.calls import META, TRANSFER, Calls
from nephos.sync.connections.s3.exchange import FileRange
from nephos.sync.connections.s3.signer import UNSIGNED
from nephos.sync.states import Proof


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

    def checked(self, piece: FileRange, *, sha256: str = "") -> tuple[str, dict[str, str]]:
        """How a body is vouched for: the sum in the signature on http, a CRC in a header on https.

        A server that was probed to ignore the sum is not sent one for a part: it would be worked out for nobody.
        """
        if self.calls.endpoint.secure:
            return UNSIGNED, {"x-amz-checksum-crc64nvme": sums.crc64nvme(piece, self.stop)}
        if sha256 or self.profile.checks_content:
            return sha256 or sums.sha256(piece, self.stop), {}
        return UNSIGNED, {}

    def prove(self, *, sha256: str, doubtful: bool = False) -> Proof:
        """Make sure that the object is what was read here. Raises Mismatch."""
        if self.item.verify is base.Verify.NONE and not doubtful:
            return Proof.TRANSPORT
        if self.profile.checks_content and self.item.verify is base.Verify.AUTO and not doubtful:
            return Proof.SERVER
        digest = hashlib.sha256()
        self.calls.get(self.key, digest.update, stop=self.stop)
        if digest.hexdigest() != sha256:
            raise errors.Mismatch
        return Proof.READ_BACK


def metadata(item: base.Item) -> dict[str, str]:
    """Headers that stay with the object; the transfer id proves a completion whose answer was lost."""
    return {
        "content-type": _type_of(os.path.splitext(item.path)[1]),  # noqa: PTH122 - a hundred thousand times
        f"{META}{TRANSFER}": item.transfer,
        f"{META}nephos-mtime-ns": str(item.fingerprint.mtime_ns),
    }


def vouch(calls: Calls, body: bytes, sha256: str) -> tuple[str, dict[str, str]]:
    """How a small body is vouched for: the sum in the signature on http, a CRC in a header on https."""
    if calls.endpoint.secure:
        return UNSIGNED, {"x-amz-checksum-crc64nvme": sums.crc64nvme_of(body)}
    return sha256, {}


def open_source(item: base.Item) -> int:
    """A handle of the file. Raises SourceGone, SourceUnreadable."""
    try:
        return os.open(item.source, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0))
    except FileNotFoundError as error:
        raise errors.SourceGone from error
    except OSError as error:
        raise errors.SourceUnreadable(f"The file cannot be read: {error.strerror or error}.") from error


@functools.lru_cache(maxsize=256)
def _type_of(ending: str) -> str:
    return mimetypes.guess_type(f"file{ending}")[0] or "application/octet-stream"
