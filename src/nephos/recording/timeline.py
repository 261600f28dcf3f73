"""UTC that never steps: an anchor on the wall clock, carried on by the monotonic clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

STEP = timedelta(seconds=2)
_SLEW_PER_SECOND = 0.005  # how fast smaller differences are worked off


class Reading(NamedTuple):
    """The clocks at one moment: seconds since 1970, seconds of the clock that never steps, and how long it was asleep.

    The second one goes on while the machine sleeps: a window ends by the time that passed for people.
    """

    wall: float
    mono: float
    slept: float = 0.0


@dataclass(slots=True)
class Timeline:
    """Turns monotonic time into UTC."""

    wall: float
    mono: float

    @classmethod
    def at(cls, reading: Reading) -> Timeline:
        """A timeline that agrees with the wall clock now."""
        return cls(wall=reading.wall, mono=reading.mono)

    def utc(self, mono: float) -> float:
        """Seconds since 1970 on this timeline."""
        return self.wall + (mono - self.mono)

    def mono_at(self, utc: float) -> float:
        """The monotonic clock at that moment of this timeline."""
        return self.mono + (utc - self.wall)

    def difference(self, reading: Reading) -> float:
        """How far the wall clock is ahead of this timeline, in seconds."""
        return reading.wall - self.utc(reading.mono)

    def follow(self, reading: Reading) -> bool:
        """Stay with the wall clock; call about once a second. True if it had stepped and the anchor was set anew."""
        ahead = self.difference(reading)
        if abs(ahead) > STEP.total_seconds():
            self.wall, self.mono = reading.wall, reading.mono
            return True
        self.creep(reading)
        return False

    def creep(self, reading: Reading) -> None:
        """Work off a small difference, too slowly to double or skip a second; a step is left alone."""
        ahead = self.difference(reading)
        if abs(ahead) > STEP.total_seconds():
            return
        most = _SLEW_PER_SECOND * max(0.0, reading.mono - self.mono)
        self.wall = self.utc(reading.mono) + max(-most, min(most, ahead))
        self.mono = reading.mono


def moment(utc: float) -> datetime:
    """Seconds since 1970 as an aware time."""
    return datetime.fromtimestamp(utc, UTC)
