"""Sends files while they are still being written, behind the writer, in a thread of its own for each destination.

Only the beginning goes up here, and nobody sees it. When the file is complete its row is let go, and the ordinary
sending proves what is there, sends the little that is left, and gives it its name.
"""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass, field

from nephos.lib import clock, ids
from nephos.sync import database, errors, fingerprints, growths, paths
from nephos.sync.connections import base
from nephos.sync.fingerprints import Fingerprint
from nephos.sync.hands import Hand
from nephos.sync.outlet import Outlet
from nephos.sync.states import PathState

logger = logging.getLogger(__name__)

_IDLE_SECONDS = 0.25
_QUIET_SECONDS = 1.0  # a writer that rested so long may be done: what is less than a part goes as well
_TROUBLE_SECONDS = 5.0
_GONE_SECONDS = 60.0  # a file gets its final name in steps: so long it may be under neither


@dataclass(slots=True)
class _Known:
    """What this process knows of a file that grows."""

    size_bytes: int = -1
    since: float = field(default_factory=clock.monotonic)  # it has this size
    sent_bytes: int = 0
    not_before: float = 0.0
    flushed_bytes: int = 0


class Grower:
    """One destination's files that grow."""

    def __init__(self, outlet: Outlet) -> None:
        self._outlet = outlet
        self._known: dict[int, _Known] = {}
        self.hand = Hand(outlet, name="grower", work=self._work, idle_seconds=_IDLE_SECONDS)
        self._look()  # before anything is sent: whole files must know what of them went up already

    def _look(self) -> list[growths.Growth]:
        with database.reading(self._outlet.journal.path) as db:
            found = growths.of_destination(db, self._outlet.target.name) if db is not None else []
        self._known = {growth.row.id: self._known.get(growth.row.id) or _Known() for growth in found}
        self._outlet.grown = frozenset(self._known)
        return found

    def _work(self) -> None:
        for growth in self._look():
            if self.hand.is_set():
                break
            self._look_at(growth)

    def _look_at(self, growth: growths.Growth) -> None:
        row, over = growth.row, growth.ended or growth.paused
        if row.state is PathState.DELIVERED or row.watch not in self._outlet.target.watches:
            self._commit_drop(row)
        elif growth.held and row.observed is None:
            self._abandon(row)
            self._rest(row)
        elif over and (growth.held or (row.set_id and row.state is PathState.SETTLING)):
            self._rest(row)
        elif not over and (growth.held or row.state is PathState.SETTLING):
            self._follow(growth)

    def _follow(self, growth: growths.Growth) -> None:
        """Send what the writer has added, if it is worth it."""
        known, now = self._known[growth.row.id], clock.monotonic()
        try:
            found = fingerprints.take(growth.row.source)
        except errors.SyncError:
            self._miss(growth.row, known, now)
            return
        if found.size_bytes != known.size_bytes:
            known.size_bytes, known.since = found.size_bytes, now
        if now < known.not_before or self._outlet.breaker.is_open or self._outlet.throttle.is_closed:
            return
        connection = self._outlet.connection()
        if not isinstance(connection, base.Grower):
            return
        flush = now - known.since >= _QUIET_SECONDS and known.flushed_bytes != found.size_bytes
        if found.size_bytes - known.sent_bytes >= connection.step_bytes or (flush and known.sent_bytes):
            self._send(connection, growth, found, flush=flush)

    def _send(self, connection: base.Grower, growth: growths.Growth, found: Fingerprint, *, flush: bool) -> None:
        row, known, outlet = growth.row, self._known[growth.row.id], self._outlet
        if not outlet.journal.commit(lambda db: growths.begin(db, row.id, size_bytes=found.size_bytes)):
            return
        item = self._item(row, found)
        try:
            known.sent_bytes = connection.grow(
                item, growth.expected_bytes, flush=flush, journal=outlet.notes, stop=self.hand
            )
        except errors.Interrupted:
            return
        except errors.SyncError as error:
            self._fail(row, known, error)
            return
        outlet.breaker.reset()
        if flush and known.sent_bytes >= found.size_bytes:
            known.flushed_bytes = found.size_bytes
        self.hand.wake()

    def _fail(self, row: paths.PathRow, known: _Known, error: errors.SyncError) -> None:
        """It is tried again; what lasts shows when the whole file is sent, which then says what is wrong."""
        logger.info("Not sent while it grows", extra={"transfer": row.id, "why": error.message})
        known.not_before = clock.monotonic() + _TROUBLE_SECONDS
        if error.everywhere:
            self._outlet.breaker.trip(error)
        cause = f"It is still being written, and cannot be sent yet: {error.message}"
        self._outlet.journal.commit(lambda db: growths.rest(db, row.id, cause=cause))

    def _miss(self, row: paths.PathRow, known: _Known, now: float) -> None:
        """The file is not there. Files of watches are missed by the watch; one of a set that never came is dropped."""
        if known.size_bytes >= 0:
            known.size_bytes, known.since = -1, now
        if not row.set_id or now - known.since < _GONE_SECONDS:
            return
        self._abandon(row)
        self._outlet.journal.commit(lambda db: growths.drop_row(db, row.id))

    def _abandon(self, row: paths.PathRow) -> None:
        connection = self._outlet.connection()
        if not isinstance(connection, base.Grower):
            return
        try:
            connection.abandon(self._item(row, Fingerprint(0, 0, 0)), journal=self._outlet.notes, stop=self.hand)
        except errors.SyncError as error:
            logger.info("What went up of a file is left there", extra={"transfer": row.id, "why": error.message})

    def _rest(self, row: paths.PathRow) -> None:
        self._outlet.journal.commit(lambda db: growths.rest(db, row.id))

    def _commit_drop(self, row: paths.PathRow) -> None:
        self._outlet.journal.commit(lambda db: growths.drop(db, row.id))

    def _item(self, row: paths.PathRow, found: Fingerprint) -> base.Item:
        return base.Item(
            id=row.id,
            source=row.source,
            path=os.fsdecode(row.path),
            fingerprint=found,
            transfer=ids.new(),
            verify=self._outlet.target.verify,
            grown=True,
        )
