"""A thread that keeps a connection's `send` fed with rows of some sizes."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator

from nephos.lib import ids
from nephos.sync import database, errors, paths
from nephos.sync.connections import base
from nephos.sync.hands import Hand
from nephos.sync.outlet import Outlet, Shipment


class Lane:
    """Rows of one destination, from a size to a size."""

    def __init__(self, outlet: Outlet, *, name: str, sizes: tuple[int, int], batch: int) -> None:
        self.in_flight: dict[int, Shipment] = {}
        self._outlet = outlet
        self._batch = batch
        self._transfers = ids.series()
        levels = outlet.target.priorities or ((0, outlet.target.watches),)
        self._choices = [paths.Lane(outlet.target.name, watches, *sizes) for _, watches in levels]
        self.hand = Hand(outlet, name=name, work=self._work)

    def _work(self) -> None:
        try:
            self._send()
        finally:
            self._give_back()

    def _send(self) -> None:
        """Everything that is due now, in one go."""
        with database.reading(self._outlet.journal.path) as db:
            if db is None or self._closed():
                return
            first = self._due(db, limit=1)
            if not first:
                self._outlet.prepare()
                return
            connection = self._outlet.connection(wanted_by=first[0])
            if connection is None:
                return
            for outcome in connection.send(self._supply(db), journal=self._outlet.notes, stop=self.hand):
                shipment = self.in_flight.pop(outcome.item.id)
                self._outlet.record(shipment, outcome)

    def _supply(self, db: sqlite3.Connection) -> Iterator[base.Item]:
        """Items as long as there are any, a batch at a time; only one while the destination is in doubt."""
        while not self.hand.is_set() and not self._closed():
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
            transfer=next(self._transfers),
            verify=self._outlet.target.verify,
            grown=shipment.row.id in self._outlet.grown,
        )

    def _give_back(self) -> None:
        """What was begun and did not end is ready again."""
        left, self.in_flight = self.in_flight, {}
        for shipment in left.values():
            self._outlet.fail(shipment.row, errors.Interrupted())
