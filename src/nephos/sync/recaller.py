"""Reads back from one destination, in a thread of its own: to restore files, and to prove that they are still there."""

from __future__ import annotations

import hashlib
import logging
import os
from pathlib import Path

from nephos.lib import clock, files
from nephos.sync import database, errors, recalls
from nephos.sync.connections import base
from nephos.sync.hands import Hand
from nephos.sync.outlet import Outlet

logger = logging.getLogger(__name__)

_IDLE_SECONDS = 1.0
_NOTE_SECONDS = 0.5
_BLOCK_BYTES = 1 << 20


class Recaller:
    """A file that came in part goes on from there the next time."""

    def __init__(self, outlet: Outlet) -> None:
        self._outlet = outlet
        self.hand = Hand(outlet, name="recaller", work=self._work, idle_seconds=_IDLE_SECONDS)

    def _work(self) -> None:
        with database.reading(self._outlet.journal.path) as db:
            wanted = recalls.open_ones(db, self._outlet.target.name) if db is not None else []
        connection = self._outlet.connection() if wanted else None
        if connection is None:
            return
        for recall in wanted:
            if self.hand.is_set() or self._outlet.breaker.is_open:
                return
            self._one(connection, recall)
        self.hand.wake()

    def _one(self, connection: base.Connection, recall: recalls.Recall) -> None:
        try:
            self._carry_out(connection, recall)
        except errors.Interrupted:
            return
        except errors.SyncError as error:
            if error.everywhere:
                self._outlet.breaker.trip(error)
            elif isinstance(error, errors.Overloaded):
                self.hand.wait(_IDLE_SECONDS)
            else:
                self._end(recall, cause=f"{error.message} {error.hint}".strip())
        except OSError as error:
            self._end(recall, cause=f"It cannot be written here: {error.strerror or error}.")
        else:
            self._end(recall)

    def _carry_out(self, connection: base.Connection, recall: recalls.Recall) -> None:
        if not isinstance(connection, base.Reader):
            raise errors.Refused("This kind of destination cannot be read.")
        if recall.kind is recalls.Kind.RESTORE:
            self._restore(connection, recall)
        else:
            self._verify(connection, recall)

    def _end(self, recall: recalls.Recall, *, cause: str = "") -> None:
        self._outlet.journal.commit(lambda db: recalls.finish(db, recall, good=not cause, cause=cause))

    def _verify(self, connection: base.Reader, recall: recalls.Recall) -> None:
        digest = hashlib.sha256()
        connection.read(os.fsdecode(recall.path), digest.update, start=0, stop=self.hand)
        if recall.sha256 and digest.hexdigest() != recall.sha256:
            raise errors.Mismatch("The content there is not what was delivered.")

    def _restore(self, connection: base.Reader, recall: recalls.Recall) -> None:
        place = Path(os.fsdecode(recall.target))
        if place.is_file() and files.sha256(place) == recall.sha256:
            return  # it is there already
        place.parent.mkdir(parents=True, exist_ok=True)
        temporary = place.with_name(f".nephos-{recall.id}.part")
        digest = hashlib.sha256()
        with temporary.open("a+b") as stream:
            start = _take_in(stream.fileno(), digest, recall.bytes)
            sink = _Sink(self, recall, stream.fileno(), digest, start)
            connection.read(os.fsdecode(recall.path), sink.take, start=start, stop=self.hand)
            os.fsync(stream.fileno())
        if digest.hexdigest() != recall.sha256:
            temporary.unlink()
            raise errors.Mismatch("What came back is not what the receipt says.")
        files.free_name(place).hardlink_to(temporary)  # never over a file that is there
        temporary.unlink()
        logger.info("Restored", extra={"path": str(place), "bytes": recall.bytes})

    def note(self, recall: recalls.Recall, done: int) -> None:
        """Tell how far it is."""
        self._outlet.journal.submit(lambda db: recalls.progress(db, recall, done))


class _Sink:
    """Writes what comes, sums it up, and says now and then how far it is."""

    def __init__(self, owner: Recaller, recall: recalls.Recall, handle: int, digest: hashlib._Hash, at: int) -> None:
        self._owner, self._recall, self._handle, self._digest, self._at = owner, recall, handle, digest, at
        self._told = clock.monotonic()

    def take(self, block: bytes) -> None:
        if self._owner.hand.is_set():
            raise errors.Interrupted
        os.write(self._handle, block)
        self._digest.update(block)
        self._at += len(block)
        if clock.monotonic() - self._told > _NOTE_SECONDS:
            self._told = clock.monotonic()
            self._owner.note(self._recall, self._at)


def _take_in(handle: int, digest: hashlib._Hash, most: int) -> int:
    """Sum up what an earlier attempt left; where to go on."""
    size = os.fstat(handle).st_size
    if size >= most:
        os.ftruncate(handle, 0)
        return 0
    os.lseek(handle, 0, os.SEEK_SET)
    while block := os.read(handle, _BLOCK_BYTES):
        digest.update(block)
    return size
