"""Each time the wall clock is set a new era begins. Stamps of one era can be told in the time of another; pure.

Segments and journals are stamped by the clock as it was, so after a step backwards the same times come again. What
tells them apart is the era, and what joins them are the steps between: so many seconds, read on both clocks at once.
The recorder keeps the list in `recordings/.clock.json`, and counts in each segment's name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from nephos.lib import clock, files

FILE = ".clock.json"
VERSION = 1
_NEAR = timedelta(minutes=10)  # more than any pre-roll; the number may be that of another home's booking
_MOST = 500  # a clock that is set more often than daily is forgotten about after a year


@dataclass(frozen=True, slots=True)
class Step:
    """The clock was set: it said `before` and then `after`. The era that began has this number."""

    era: int
    before: datetime
    after: datetime
    open: tuple[int, ...] = ()  # bookings whose windows were open, and go on by elapsed time

    @property
    def length(self) -> timedelta:
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class Eras:
    """All steps that are known, oldest first."""

    steps: tuple[Step, ...] = ()

    @property
    def last(self) -> int:
        """The era that goes on."""
        return self.steps[-1].era if self.steps else 0

    @property
    def numbers(self) -> list[int]:
        """All eras that are known, oldest first."""
        return [self.steps[0].era - 1, *(step.era for step in self.steps)] if self.steps else [0]

    def with_step(self, *, before: datetime, after: datetime, open_windows: Iterable[int] = ()) -> Eras:
        """The clock was set again, while the windows of these bookings were open."""
        return Eras((*self.steps, Step(self.last + 1, before, after, tuple(sorted(open_windows))))[-_MOST:])

    def opened(self, booking: int, start: datetime, end: datetime) -> int | None:
        """The era in which a window was opened that a step found open; None if none did.

        Its own time says little: a step that comes in its pre-roll leaves nothing of it in the era that counts.
        """
        for step in self.steps:
            if booking in step.open and start - _NEAR <= step.before <= end + _NEAR:
                return step.era - 1
        return None

    def shift(self, *, of: int, to: int) -> timedelta:
        """What to add to a time of one era to tell it in another."""
        low, high = min(of, to), max(of, to)
        total = sum((step.length for step in self.steps if low < step.era <= high), timedelta(0))
        return total if of < to else -total

    def touching(self, start: datetime, end: datetime) -> list[int]:
        """The eras in whose own time something of this stretch lies, oldest first."""
        return [number for number in self.numbers if self.has(number, start, end)]

    def has(self, era: int, start: datetime, end: datetime) -> bool:
        """Whether something of this stretch, in the era's own time, lies in it."""
        begins = next((step.after for step in self.steps if step.era == era), start)
        ends = next((step.before for step in self.steps if step.era == era + 1), end)
        return begins <= end and start <= ends


def read(recordings: Path) -> Eras:
    """The list on disk; empty if the clock was never set, or if the list cannot be read."""
    raw = files.read_json(recordings / FILE)
    if not isinstance(raw, Mapping) or not isinstance(raw.get("steps"), list):
        return Eras()
    try:
        return Eras(tuple(_step(entry) for entry in raw["steps"]))
    except (KeyError, TypeError, ValueError):
        return Eras()


def write(recordings: Path, eras: Eras) -> None:
    """Replace the list in one step. Raises OSError."""
    steps = [
        {
            **{"era": step.era, "before": clock.stamp(step.before), "after": clock.stamp(step.after)},
            **({"open": list(step.open)} if step.open else {}),
        }
        for step in eras.steps
    ]
    recordings.mkdir(parents=True, exist_ok=True)
    files.write_json(recordings / FILE, {"version": VERSION, "steps": steps})


def _step(entry: Mapping[str, Any]) -> Step:
    era, before, after = int(entry["era"]), clock.parse(entry["before"]), clock.parse(entry["after"])
    return Step(era, before, after, tuple(int(one) for one in entry.get("open", ())))
