"""What the lanes of one destination share: the open connection, the breaker, the notes in the journal."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from nephos.config import schema
from nephos.lib.errors import NephosError
from nephos.sync import (
    batches,
    breaker,
    copies,
    errors,
    fingerprints,
    meters,
    namesakes,
    paths,
    profiles,
    timetable,
    transfers,
)
from nephos.sync.connections import base, registry
from nephos.sync.fingerprints import Fingerprint
from nephos.sync.journal import Journal
from nephos.sync.mappings import Target

logger = logging.getLogger(__name__)

Touch = Callable[[str, bytes], None]


class Shipment(NamedTuple):
    """A row that is being sent, with the version that is."""

    row: paths.PathRow
    fingerprint: Fingerprint
    generation: int
    copy: bytes = b""  # what is sent instead of the file itself
    copied: Fingerprint | None = None


class Outlet:
    """One destination, for several threads. `touch` tells the engine to look at a watch's file again."""

    def __init__(
        self, settings: schema.Settings, target: Target, journal: Journal, touch: Touch, work: copies.Copies
    ) -> None:
        self.target = target
        self._copies = work
        self.journal = journal
        self.breaker = breaker.Breaker()
        self.meter = meters.Meter()
        self.throttle = timetable.Throttle(target.pace)
        self.notes = transfers.Notes(journal, self.meter)
        self.stop = threading.Event()
        self.grown: frozenset[int] = frozenset()  # rows whose beginning may have gone up while it was written
        self.naming = namesakes.Naming(target.name, folds=False, watches=target.watches)
        self._settings = settings
        self._touch = touch
        self._connection: base.Connection | None = None
        self._opening = threading.Lock()
        self._expected = False
        self._is_to_open = False
        self._processed = {watch for watch, processes in target.processes if processes}

    def expect(self) -> bool:
        """Files will be ready soon; True if that is worth opening the destination for, which is so once."""
        if not self._expected:
            self._expected = self._is_to_open = True
            return True
        return False

    def prepare(self) -> None:
        """Open it before it is needed, if that is expected. That it cannot be shows when it is needed."""
        with self._opening:
            if self._is_to_open and self._connection is None:
                self._is_to_open = False
                with contextlib.suppress(NephosError):
                    self._connection = self._open()

    def connection(self, *, wanted_by: paths.PathRow | None = None) -> base.Connection | None:
        """The open destination, probed if it never was; None (and the breaker open) if that fails.

        The row that wanted it then waits and tells why, in the place of all that wait with it.
        """
        with self._opening:
            if self._connection is None and not self.breaker.is_open:
                try:
                    self._connection = self._open()
                except NephosError as error:
                    logger.warning(
                        "A destination cannot be used", extra={"destination": self.target.name, "why": error.message}
                    )
                    delay = self.breaker.trip(error)
                    if wanted_by is not None:
                        row, cause = wanted_by, errors.Unusable(error.message, hint=error.hint)
                        self.journal.submit(lambda db: paths.fail(db, row.id, cause, delay=delay))
            return self._connection

    def with_names(self, rows: list[paths.PathRow]) -> list[paths.PathRow]:
        """Those whose names are free there, or theirs; the others are held."""
        if not rows or not self.naming.matters:
            return rows
        refused = self.journal.commit(lambda db: namesakes.take(db, self.naming, rows))
        for row in rows:
            if row.id in refused:
                self.fail(row, refused[row.id])
        return [row for row in rows if row.id not in refused]

    def begin(self, rows: list[paths.PathRow]) -> list[Shipment]:
        """Mark rows as being sent; a connection looks itself whether the file still is what was seen of it."""
        rows = self.with_names(rows)
        if any(row.set_id or row.watch in self._processed for row in rows):
            return self._begin_each(rows)
        taken = self.journal.commit(lambda db: batches.begin(db, rows)) if rows else set()
        return [
            Shipment(row, row.observed, row.generation) for row in rows if row.id in taken and row.observed is not None
        ]

    def _begin_each(self, rows: list[paths.PathRow]) -> list[Shipment]:
        """The same for files of sets and for files that are copied first; changed ones are left to settle again."""
        found: list[tuple[paths.PathRow, Fingerprint, Path | None]] = []
        for row in rows:
            if self.stop.is_set():
                break
            try:
                fingerprint = fingerprints.take(row.source)
                if fingerprint != row.observed and not row.set_id:
                    raise errors.SourceChanged
                processes = self.target.processes_of(row.watch)
                found.append((row, fingerprint, self._copies.made(row, processes, fingerprint) if processes else None))
            except errors.SyncError as error:
                self.fail(row, error)
        if not found:
            return []
        # A set was handed over as finished: its file as it is now is the version that counts.
        generations = self.journal.commit(lambda db: [paths.begin(db, row, version) for row, version, _ in found])
        return [
            _shipment(row, version, generation, copy)
            for (row, version, copy), generation in zip(found, generations, strict=True)
        ]

    def record(self, shipment: Shipment, outcome: base.Outcome) -> None:
        """Note how an item ended."""
        proof, error = outcome.delivered, outcome.error
        if proof is not None:
            if self.breaker.is_doubtful:
                self.breaker.reset()
            self.notes.end(outcome.item)
            item = outcome.item
            if shipment.copy:
                item = item._replace(fingerprint=shipment.fingerprint)
                self._copies.drop(item.id)
            self.journal.add(batches.deliver, batches.Arrival(item, shipment.generation, proof))
        elif error is not None:
            self.fail(shipment.row, error)

    def fail(self, row: paths.PathRow, error: errors.SyncError) -> None:
        """Note that a row could not be sent; its watch looks at the file again if that is why."""
        delay = self.breaker.trip(error) if error.everywhere else None
        if not isinstance(error, errors.Interrupted):
            logger.info(
                "Not delivered", extra={"transfer": row.id, "destination": self.target.name, "why": error.message}
            )
        self.journal.submit(lambda db: paths.fail(db, row.id, error, delay=delay))
        if isinstance(error, errors.SourceChanged | errors.SourceGone) and not row.set_id:
            self._touch(row.watch, row.path)

    def close(self) -> None:
        """Let go of the connection."""
        self._copies.close()
        if self._connection is not None:
            self._connection.close()

    def _open(self) -> base.Connection:
        name, place = self.target.name, self.target.place
        profile = self.journal.commit(lambda db: profiles.get(db, destination=name, place=place))
        connection = registry.open_destination(
            self._settings,
            name,
            profile=profile,
            folder=self.journal.path.parent,
            plugins=self._copies.plugins,
        )
        if profile is None:
            try:
                probed = connection.probe()
            except BaseException:
                connection.close()
                raise
            self.journal.commit(lambda db: profiles.put(db, destination=name, place=place, profile=probed))
            profile = probed
        self.naming = namesakes.Naming(name, folds=profile.folds_names, watches=self.target.watches)
        self.journal.commit(lambda db: namesakes.know(db, self.naming))
        return connection


def _shipment(row: paths.PathRow, version: Fingerprint, generation: int, copy: Path | None) -> Shipment:
    if copy is None:
        return Shipment(row, version, generation)
    return Shipment(row, version, generation, os.fsencode(copy), fingerprints.take(os.fsencode(copy)))
