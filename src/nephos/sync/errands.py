"""Moves and deletions at one destination, one after another, in a thread of their own; any step may be repeated."""

from __future__ import annotations

import hashlib
import logging
import os
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from nephos.lib import ids
from nephos.sync import database, errors, fingerprints, leftovers, namesakes, paths, removals, transfers
from nephos.sync.connections import base
from nephos.sync.fingerprints import Fingerprint
from nephos.sync.hands import Hand
from nephos.sync.outlet import Outlet
from nephos.sync.states import Action, PathState, Proof

logger = logging.getLogger(__name__)

Result = TypeVar("Result")

_HASH_BYTES = 1 << 20
_PAUSE_SECONDS = 1.0
SET_ASIDE = ".nephos-removed"
"""The folder at a destination in which removed files wait for their end."""


class _Unproven(Exception):
    """It cannot be shown that the new name is the old file."""


@dataclass(frozen=True, slots=True)
class _Source:
    """The delivered file that a move starts from."""

    row: paths.PathRow
    fingerprint: Fingerprint
    sha256: str
    etag: str
    proof: Proof


class Errands:
    """It waits while the destination is in doubt, as the senders do."""

    def __init__(self, outlet: Outlet) -> None:
        self._outlet = outlet
        self.hand = Hand(outlet, name="errands", work=self._work)

    def _work(self) -> None:
        target = self._outlet.target
        with database.reading(self._outlet.journal.path) as db:
            if db is None or self._outlet.breaker.is_open:
                return
            rows = removals.due(db, destination=target.name, watches=target.watches)
            aside = removals.set_aside(db, target.name)
            left = leftovers.of(db, target.name)
        if not rows and not aside and not left:
            return
        connection = self._outlet.connection()
        if connection is None:
            return
        work: list[Callable[[], None]] = [
            *(partial(self._carry_out, connection, row) for row in rows),
            *(partial(self._end_of, connection, removed) for removed in aside),
            *(partial(self._tidy, connection, leftover) for leftover in left),
        ]
        for each in work:
            if self.hand.is_set() or self._outlet.breaker.is_open:
                return
            each()
        if rows or left:
            self.hand.wake()  # there may be more

    def _carry_out(self, connection: base.Connection, row: paths.PathRow) -> None:
        try:
            if row.action is Action.MOVE:
                self._move(connection, row)
            else:
                self._delete(connection, row)
            self._outlet.breaker.reset()
        except errors.SyncError as error:
            self._outlet.fail(row, error)
        except BaseException:
            self._outlet.fail(row, errors.Unforeseen())  # the row waits, and the others pass
            raise

    # Moves

    def _move(self, connection: base.Connection, row: paths.PathRow) -> None:
        if not self._outlet.with_names([row]):
            return
        try:
            source = self._proven(row)
        except _Unproven:
            self._commit(lambda db: _send_instead(db, row.id))
            return
        generation = self._commit(lambda db: paths.begin(db, row, source.fingerprint))
        try:
            delivered = self._bring(connection, row, source)
        except (_Unproven, errors.NameRefused, errors.Refused, errors.PluginRefused):
            self._commit(lambda db: _send_instead(db, row.id, old_name=row.other))  # it is a move all the same
            return
        if fingerprints.take(row.source) != source.fingerprint:
            raise errors.SourceChanged
        item = base.Item(row.id, row.source, os.fsdecode(row.path), source.fingerprint, ids.new())

        def note(db: sqlite3.Connection) -> paths.PathRow | None:
            transfers.deliver(db, item, generation=generation, proof=delivered)
            return removals.claim_old_name(db, row)

        old = self._commit(note)  # one transaction: the new one is proven, and the old name is to go
        logger.info("Moved at the destination", extra={"transfer": row.id, "destination": row.destination})
        if old is not None:
            self._remove(connection, old)

    def _proven(self, row: paths.PathRow) -> _Source:
        """The source of a move, if inode, size, time and content say that it is the same file. Raises _Unproven."""
        seen = fingerprints.take(row.source)
        if seen != row.observed:
            raise errors.SourceChanged
        with database.reading(self._outlet.journal.path) as db:
            source = _source_of(db, row, seen) if db is not None else None
        if source is None or self._sum(row.source) != source.sha256:
            raise _Unproven
        return source

    def _bring(self, connection: base.Connection, row: paths.PathRow, source: _Source) -> base.Delivered:
        old, new = os.fsdecode(row.other), os.fsdecode(row.path)
        if isinstance(connection, base.Mover) and not connection.capabilities.lists:
            connection.move(old, new)  # it cannot look, so its word is all there is
            return base.Delivered(new, source.fingerprint.size_bytes, source.sha256, source.proof)
        there = connection.look(old)
        if isinstance(connection, base.Mover):
            if there is not None:
                connection.move(old, new)
        elif there is None or not connection.capabilities.copies:
            raise _Unproven
        else:
            connection.copy(old, new)
        found = connection.look(new)
        if found is None or found.bytes != source.fingerprint.size_bytes:
            raise _Unproven
        return base.Delivered(
            key=new,
            bytes=found.bytes,
            sha256=source.sha256,
            proof=self._proof(connection, new, found, source),
            etag=found.etag,
            version=found.version,
        )

    def _proof(self, connection: base.Connection, path: str, found: base.Remote, source: _Source) -> Proof:
        """The new name has the old one's proof if the server names the content alike; else it is read back."""
        if isinstance(connection, base.Mover) or (found.etag and found.etag == source.etag):
            return source.proof
        if self._outlet.target.verify is base.Verify.NONE or not isinstance(connection, base.Reader):
            return Proof.TRANSPORT
        digest = hashlib.sha256()
        connection.read(path, digest.update, start=0, stop=self._outlet.stop)
        if digest.hexdigest() != source.sha256:
            raise _Unproven
        return Proof.READ_BACK

    def _sum(self, path: bytes) -> str:
        digest = hashlib.sha256()
        try:
            with Path(os.fsdecode(path)).open("rb") as stream:
                while block := stream.read(_HASH_BYTES):
                    if self.hand.is_set():
                        raise errors.Interrupted
                    digest.update(block)
        except OSError as error:
            raise errors.SourceGone from error
        return digest.hexdigest()

    # Deletions

    def _delete(self, connection: base.Connection, row: paths.PathRow) -> None:
        begun = self._commit(lambda db: removals.start(db, row))
        if begun is None:
            return
        if self._lives_on(begun):
            self._commit(lambda db: removals.finish(db, begun))
            return
        keep = self._outlet.target.undo_of(row.watch)
        if begun.other or not keep or not connection.capabilities.copies:
            self._remove(connection, begun)
            return
        path, aside = os.fsdecode(row.path), f"{SET_ASIDE}/{row.id}/{os.fsdecode(row.path)}"
        there = connection.look(path)
        if there is None:
            if connection.look(aside) is None:
                aside = ""
        else:
            connection.copy(path, aside)
            kept = connection.look(aside)
            if kept is None or kept.bytes != there.bytes:
                raise errors.Mismatch("What was set aside is not what is there.")
            connection.delete(path)
        self._commit(lambda db: removals.finish(db, begun, kept_as=aside, keep=keep))
        logger.info("Removed at the destination", extra={"transfer": row.id, "destination": row.destination})

    def _remove(self, connection: base.Connection, row: paths.PathRow) -> None:
        try:
            if not self._lives_on(row):
                connection.delete(os.fsdecode(row.path))
        except errors.SyncError as error:
            self._outlet.fail(row, error)
            return
        self._commit(lambda db: removals.finish(db, row))

    def _lives_on(self, row: paths.PathRow) -> bool:
        """Whether what is there under a row's name is another's now: it is left alone."""
        naming = self._outlet.naming
        return naming.matters and self._commit(lambda db: namesakes.owner(db, naming, row)) is not None

    def _end_of(self, connection: base.Connection, removed: removals.Removed) -> None:
        """Bring back what is wanted again, or let it go for good."""
        path = os.fsdecode(removed.path)
        try:
            if removed.wanted and connection.look(path) is None and connection.look(removed.kept_as) is not None:
                connection.copy(removed.kept_as, path)
                back = connection.look(path)
                if back is None or back.bytes != removed.bytes:
                    raise errors.Mismatch("What was brought back is not what was set aside.")
            connection.delete(removed.kept_as)
        except errors.SyncError as error:
            logger.warning("What was set aside stays for now", extra={"path": path, "why": error.message})
            if error.everywhere:
                self._outlet.breaker.trip(error)
            return
        self._commit(lambda db: removals.forget(db, removed.id))

    def _tidy(self, connection: base.Connection, leftover: leftovers.Leftover) -> None:
        try:
            if isinstance(connection, base.Tidier):
                connection.tidy(leftover.path, handle=leftover.handle, item=leftover.item)
        except errors.SyncError as error:
            if error.everywhere:
                self._outlet.breaker.trip(error)
            if not error.permanent:
                self.hand.wait(_PAUSE_SECONDS)
                return
            logger.warning("What is unfinished stays there", extra={"path": leftover.path, "why": error.message})
        self._commit(lambda db: leftovers.forget(db, leftover.id))

    def _commit(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        return self._outlet.journal.commit(work)


def _source_of(db: sqlite3.Connection, row: paths.PathRow, seen: Fingerprint) -> _Source | None:
    old = paths.find(db, watch=row.watch, destination=row.destination, path=row.other)
    if old is None or old.delivered != seen or old.observed is not None:
        return None
    if old.state in {PathState.SENDING, PathState.VERIFYING}:
        return None
    receipt = db.execute(
        "SELECT sha256, etag, proof FROM receipts WHERE watch = ? AND destination = ? AND path = ? AND fingerprint = ?"
        " ORDER BY id DESC LIMIT 1",
        (row.watch, row.destination, row.other, str(seen)),
    ).fetchone()
    if receipt is None or not receipt["sha256"]:
        return None
    return _Source(old, seen, receipt["sha256"], receipt["etag"], Proof(receipt["proof"]))


def _send_instead(db: sqlite3.Connection, row_id: int, *, old_name: bytes = b"") -> None:
    """The file is sent as any other; an old name goes when it is proven."""
    row = paths.get(db, row_id)
    if row is None:
        return
    paths.set_(db, row, state=PathState.READY, action=Action.SEND, other=old_name, cause="")
    ready = paths.get(db, row_id)
    if ready is not None and ready.observed is None:
        paths.be_gone(db, ready)
