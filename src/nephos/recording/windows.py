"""Which windows of one channel are open. Pure: it is told the time, and an open window ends by elapsed time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from nephos.recording import plan


@dataclass(frozen=True, slots=True)
class Open:
    """A window that is being received. `ends_mono` is fixed when it opens: a step of the wall clock cannot move it."""

    booking: int
    end: datetime
    ends_mono: float


class Windows:
    """Opens each window once, however the wall clock steps, and closes it when its time has elapsed."""

    def __init__(self, *, pre_roll: timedelta) -> None:
        self.pre_roll = pre_roll
        self._planned: Sequence[plan.Window] = ()
        self._open: dict[int, Open] = {}
        self._done: dict[int, datetime] = {}  # the end with which a booking was over

    @property
    def bookings(self) -> list[int]:
        """The bookings whose windows are open."""
        return sorted(self._open)

    @property
    def opened(self) -> list[Open]:
        """The windows that are open."""
        return list(self._open.values())

    @property
    def done(self) -> dict[int, datetime]:
        """The bookings of the plan that are over, and the end that they had."""
        return dict(self._done)

    def take_over(self, opened: Mapping[int, Open], done: Mapping[int, datetime]) -> None:
        """Go on where a recorder stopped that was started as this machine was: its windows end when they would have."""
        self._open |= opened
        self._done |= done

    def replan(self, planned: Sequence[plan.Window], *, wall: datetime, mono: float) -> None:
        """Take up a new plan: ends may move, and a window that was taken out closes at once.

        A window that a stepped clock makes look over is left to run its length.
        """
        self._planned = planned
        wanted = {window.booking: window for window in planned}
        for booking, running in list(self._open.items()):
            window = wanted.get(booking)
            if window is None:
                if running.end > wall and running.ends_mono > mono:
                    self._close(booking)
            elif window.end != running.end:
                longer = (window.end - running.end).total_seconds()
                self._open[booking] = replace(running, end=window.end, ends_mono=running.ends_mono + longer)
        self._done = {booking: end for booking, end in self._done.items() if booking in wanted}

    def turn(self, *, utc: datetime, mono: float) -> bool:
        """Close what is over, open what is due; returns whether any window is open."""
        for booking, running in list(self._open.items()):
            if mono >= running.ends_mono:
                self._close(booking)
        for window in self._planned:
            if self._is_due(window, utc):
                ends_mono = mono + (window.end - utc).total_seconds()
                self._open[window.booking] = Open(booking=window.booking, end=window.end, ends_mono=ends_mono)
        return bool(self._open)

    def next_change(self, *, utc: datetime, mono: float) -> float:
        """When the next window opens or closes, on the monotonic clock; an hour away if none does."""
        ends = [running.ends_mono for running in self._open.values()]
        starts = [w.start - self.pre_roll for w in self._planned if w.booking not in self._open]
        opens = [mono + (start - utc).total_seconds() for start in starts if start > utc]
        return min([*ends, *opens, mono + 3600.0])

    def _is_due(self, window: plan.Window, utc: datetime) -> bool:
        if window.booking in self._open or not window.start - self.pre_roll <= utc < window.end:
            return False
        done = self._done.get(window.booking)
        return done is None or window.end > done

    def _close(self, booking: int) -> None:
        self._done[booking] = self._open.pop(booking).end
