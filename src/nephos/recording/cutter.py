"""Cuts what a channel receives into seconds of UTC, each with its end, also those in which nothing came."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable

from nephos.recording import batch, desk, timeline
from nephos.recording.sources import base

logger = logging.getLogger(__name__)

_MOST_SPREAD_SECONDS = 30  # a longer standstill of this process is left as a gap
_CUTS_PER_SECOND = 5


class Cutter:
    """Knows which second it is on the timeline of one reception."""

    def __init__(self, lane: desk.Lane, now: timeline.Reading, *, era: int = 0) -> None:
        self.line = timeline.Timeline.at(now)
        self._era = era
        self._wanted: frozenset[int] = frozenset()
        self._bookings: frozenset[int] = frozenset()  # for which anything of this second was
        self.bytes_per_second = 0
        self._lane = lane
        self._second = math.floor(now.wall)
        self._bytes = 0
        self._first_mono: float | None = None
        self._last_mono = now.mono
        self._dropped = 0

    def heard(self, mono: float) -> None:
        """Something came."""
        if self._first_mono is None:
            self._first_mono = mono
        self._last_mono = mono

    def dropped(self, datagrams: int) -> None:
        """The kernel threw so many away."""
        self._dropped += datagrams

    def is_over(self, mono: float) -> bool:
        """Whether the second that is open has passed."""
        return self.line.utc(mono) >= self._second + 1

    def put(self, load: base.Load, mono: float) -> None:
        """Hand over what came until now, and the end of each second that is over."""
        self._bytes += len(load.raw)
        over = math.floor(self.line.utc(mono)) - self._second
        if over <= 0:
            if len(load.sizes):
                self._lane.put(self._batch(load, mono))
        elif over == 1 or over > _MOST_SPREAD_SECONDS:
            self._end(load, mono)
            self._second += over
        else:
            self._spread(load, mono, over)

    def want(self, bookings: Iterable[int]) -> None:
        """What comes from now on is for these."""
        self._wanted = frozenset(bookings)
        self._bookings |= self._wanted

    def anchor(self, now: timeline.Reading, *, era: int) -> None:
        """Agree with the wall clock again, after a step."""
        self._end(base.Load(b"", ()), now.mono)
        self.line = timeline.Timeline.at(now)
        self._era = era
        self._second = math.floor(now.wall)

    def close(self, mono: float) -> None:
        """End the last second, which is not over yet, and the segment."""
        self._end(base.Load(b"", ()), mono, closes=True)

    def next_cut(self, mono: float) -> float:
        """When to hand over next, on the monotonic clock: several times a second, and when a second is over."""
        utc = self.line.utc(mono)
        step = (math.floor(utc * _CUTS_PER_SECOND) + 1) / _CUTS_PER_SECOND - utc
        return mono + max(step, 0.001)

    def _end(self, load: base.Load, mono: float, *, closes: bool = False) -> None:
        self._lane.put(self._batch(load, mono, ends=self._arrivals(), closes=closes))
        self._start_anew()

    def _spread(self, load: base.Load, mono: float, over: int) -> None:
        """This process stood still while the kernel went on receiving. When what came is unknown: it is dealt out."""
        logger.warning("The recorder stood still", extra={"channel": self._lane.slug, "seconds": over})
        for place in range(over):
            part = _part(load, place, over)
            ends = batch.Arrivals(first=0.0, last=1.0) if len(part.sizes) else batch.Arrivals()
            self._lane.put(self._batch(part, mono, ends=ends if place else self._arrivals()))
            self._second += 1
        self._start_anew()

    def _start_anew(self) -> None:
        self.bytes_per_second, self._bytes = self._bytes, 0
        self._first_mono, self._dropped = None, 0
        self._bookings = self._wanted

    def _arrivals(self) -> batch.Arrivals:
        if self._first_mono is None:
            return batch.Arrivals(dropped=self._dropped)
        return batch.Arrivals(
            first=self._within(self._first_mono), last=self._within(self._last_mono), dropped=self._dropped
        )

    def _within(self, mono: float) -> float:
        return round(min(1.0, max(0.0, self.line.utc(mono) - self._second)), 3)

    def _batch(
        self, load: base.Load, mono: float, *, ends: batch.Arrivals | None = None, closes: bool = False
    ) -> batch.Batch:
        return batch.Batch(
            second=self._second,
            mono=self.line.mono_at(self._second),
            at=self.line.utc(mono),
            load=load if len(load.sizes) else None,
            ends=ends,
            closes=closes,
            era=self._era,
            bookings=tuple(sorted(self._bookings)) if ends is not None else (),
        )


def _part(load: base.Load, place: int, parts: int) -> base.Load:
    """The datagrams of one of so many equal parts of a load."""
    count = len(load.sizes)
    first, last = count * place // parts, count * (place + 1) // parts
    start, sizes = sum(load.sizes[:first]), load.sizes[first:last]
    return base.Load(raw=load.raw[start : start + sum(sizes)], sizes=sizes)
