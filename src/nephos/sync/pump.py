"""Sends what is ready to one destination: one lane for small files, one for big ones, so that neither waits."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from nephos.config import schema
from nephos.lib import clock
from nephos.sync import breaker, copies, errands, grower, lane, outlet, recaller
from nephos.sync.journal import Journal
from nephos.sync.mappings import Target

_SMALL_BATCH = 256
_BIG_BATCH = 2
_NO_LIMIT = 2**62


class Pump:
    """One destination at work."""

    def __init__(
        self, settings: schema.Settings, target: Target, journal: Journal, touch: outlet.Touch, work: copies.Copies
    ) -> None:
        self.target = target
        self._outlet = outlet.Outlet(settings, target, journal, touch, work)
        edge = target.tuning.single_put_bytes + 1
        self._lanes = [
            lane.Lane(self._outlet, name="small", sizes=(0, edge), batch=_SMALL_BATCH),
            lane.Lane(self._outlet, name="big", sizes=(edge, _NO_LIMIT), batch=_BIG_BATCH),
        ]
        self._errands = errands.Errands(self._outlet)
        self._recaller = recaller.Recaller(self._outlet)
        self._grower = grower.Grower(self._outlet)
        self._hands = [
            *(each.hand for each in self._lanes),
            self._errands.hand,
            self._recaller.hand,
            self._grower.hand,
        ]
        for each in self._hands:
            each.start()

    @property
    def breaker(self) -> breaker.Breaker:
        return self._outlet.breaker

    def wake(self) -> None:
        """Something became ready."""
        for each in self._hands:
            each.wake()

    def expect(self) -> None:
        """Something will be ready soon."""
        if self._outlet.expect():
            self._lanes[0].hand.wake()

    def interrupt(self) -> None:
        """Something was paused: stop what is under way and look anew at what may be sent."""
        for each in self._hands:
            each.interrupt()

    def try_now(self) -> None:
        """A person wants it tried, whatever happened before."""
        self._outlet.breaker.reset()
        self.wake()

    def close(self) -> None:
        """Stop politely: what is under way goes on from there the next time."""
        self._outlet.stop.set()
        for each in self._hands:
            each.join()
        self._outlet.close()

    def report(self) -> dict[str, Any]:
        """For the heartbeat."""
        bytes_per_second, files_per_second = self._outlet.meter.rates()
        door = self._outlet.breaker
        return {
            "name": self.target.name,
            "state": "waiting" if door.is_doubtful else "ready",
            "cause": door.cause,
            "next_try_at": clock.stamp(datetime.fromtimestamp(door.next_try_at, UTC)) if door.next_try_at else None,
            "in_flight": sum(len(each.in_flight) for each in self._lanes),
            "bytes_per_second": round(bytes_per_second),
            "files_per_second": round(files_per_second, 2),
        }
