"""A thread that keeps a connection's `send` fed with rows of some sizes."""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
from collections.abc import Iterator

from nephos.lib import backoff, clock, ids
from nephos.sync import database, errors, paths, timetable
from nephos.sync.connections import base
from nephos.sync.outlet import Outlet, Shipment

logger = logging.getLogger(__name__)

_IDLE_SECONDS = 0.5
_TROUBLE = backoff.Backoff()


class Lane:
    """Rows of one destination, from a size to a size. It is also the stop event of what it sends."""

    def __init__(self, outlet: Outlet, *, name: str, sizes: tuple[int, int], batch: int) -> None:
        self.in_flight: dict[int, Shipment] = {}
        self._outlet = outlet
        self._batch = batch
        levels = outlet.target.priorities or ((0, outlet.target.watches),)
        self._choices = [paths.Lane(outlet.target.name, watches, *sizes) for _, watches in levels]
        self._awake = threading.Event()
        self._interrupted = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"{outlet.target.name}-{name}", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def wake(self) -> None:
        """Something became ready."""
        self._awake.set()

    def interrupt(self) -> None:
        """Stop what is under way and look anew at what may be sent."""
        self._interrupted.set()
        self._awake.set()

    def join(self) -> None:
        """Wait for the end, after the outlet's stop event was set."""
        self._awake.set()
        self._thread.join(timeout=30)

    def is_set(self) -> bool:
        """What is under way shall stop."""
        return self._outlet.stop.is_set() or self._interrupted.is_set()

    @property
    def is_limited(self) -> bool:
        """Whether the destination is fed slower than it goes."""
        return self._outlet.target.pace != timetable.Timetable()

    def take(self, count: int) -> None:
        """So many bytes went; waits until more may go."""
        self.wait(self._outlet.throttle.delay(count))

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for that."""
        deadline = clock.monotonic() + (3600.0 if timeout is None else timeout)
        while not self.is_set():
            left = deadline - clock.monotonic()
            if left <= 0:
                break
            self._outlet.stop.wait(min(left, 0.1))
        return self.is_set()

    def _run(self) -> None:
        failures = 0
        while not self._outlet.stop.is_set():
            self._interrupted.clear()
            try:
                self._send()
                failures = 0
                self._awake.wait(_IDLE_SECONDS)
            except Exception:
                logger.exception("Sending failed; it is tried again", extra={"destination": self._outlet.target.name})
                self._outlet.stop.wait(_TROUBLE.delay(failures).total_seconds())
                failures += 1
            finally:
                self._give_back()
            self._awake.clear()

    def _send(self) -> None:
        """Everything that is due now, in one go."""
        with database.reading(self._outlet.journal.path) as db:
            if db is None or self._closed():
                return
            first = self._due(db, limit=1)
            if not first:
                return
            connection = self._outlet.connection(wanted_by=first[0])
            if connection is None:
                return
            for outcome in connection.send(self._supply(db), journal=self._outlet.notes, stop=self):
                shipment = self.in_flight.pop(outcome.item.id)
                self._outlet.record(shipment, outcome)

    def _supply(self, db: sqlite3.Connection) -> Iterator[base.Item]:
        """Items as long as there are any, a batch at a time; only one while the destination is in doubt."""
        while not self.is_set() and not self._closed():
            doubtful = self._outlet.breaker.is_doubtful
            rows = self._due(db, limit=1 if doubtful else self._batch)
            shipments = self._outlet.begin(rows)
            if not shipments:
                return
            self.in_flight |= {shipment.row.id: shipment for shipment in shipments}
            for shipment in shipments:
                yield self._item(shipment)
            if doubtful:
                return

    def _due(self, db: sqlite3.Connection, *, limit: int) -> list[paths.PathRow]:
        """Of the highest priority that has any."""
        for choice in self._choices:
            rows = [row for row in paths.due(db, choice, limit=limit) if row.id not in self.in_flight]
            if rows:
                return rows
        return []

    def _closed(self) -> bool:
        return self._outlet.breaker.is_open or self._outlet.throttle.is_closed

    def _item(self, shipment: Shipment) -> base.Item:
        return base.Item(
            id=shipment.row.id,
            source=shipment.copy or shipment.row.source,
            path=os.fsdecode(shipment.row.path),
            fingerprint=shipment.copied or shipment.fingerprint,
            transfer=ids.new(),
            verify=self._outlet.target.verify,
        )

    def _give_back(self) -> None:
        """What was begun and did not end is ready again."""
        left, self.in_flight = self.in_flight, {}
        for shipment in left.values():
            self._outlet.fail(shipment.row, errors.Interrupted())
