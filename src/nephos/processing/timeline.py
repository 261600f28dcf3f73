"""From the clock of a stream to the time line of the mp4 made of it: 0 is its first picture.

ffmpeg closes jumps of the clock that are no holes; whoever places captions must close them in the same places.
"""

from __future__ import annotations

from dataclasses import dataclass

from nephos.processing import transport

FOLD_SECONDS = 10.0  # ffmpeg's own limit: a longer way forward is a jump of the clock, not a hole
_BACKWARD_TICKS = transport.CLOCK_PER_SECOND // 10


@dataclass(frozen=True, slots=True)
class Span:
    """A part of the file in which the clock runs on: where it begins, at which stamp, and at which time of the mp4."""

    offset: int
    stamp: int
    seconds: float


class Clock:
    """Follows the stamps of a video stream."""

    def __init__(self, zero: int, *, fold_seconds: float = FOLD_SECONDS) -> None:
        self._zero = zero
        self._fold_ticks = round(fold_seconds * transport.CLOCK_PER_SECOND)
        self._last: int | None = None  # the last decoding stamp, 33 bits
        self._at = 0  # ticks from zero to it
        self._step = transport.CLOCK_PER_SECOND // 25
        self.spans: list[Span] = []
        self.end_seconds = 0.0

    def place(self, unit: transport.Unit) -> float | None:
        """Seconds of a picture after zero, None if it has no stamp."""
        if unit.pts is None or unit.dts is None:
            return None
        if self._last is None:
            self._at = transport.distance(unit.dts, self._zero)
            self._begin_span(unit)
        else:
            delta = transport.distance(unit.dts, self._last)
            if -_BACKWARD_TICKS <= delta <= self._fold_ticks:
                self._at += delta
                self._step = delta if 0 < delta < transport.CLOCK_PER_SECOND // 5 else self._step
            else:
                self._at += self._step
                self._begin_span(unit)
        self._last = unit.dts
        ticks = self._at + transport.distance(unit.pts, unit.dts)
        self.end_seconds = max(self.end_seconds, (ticks + self._step) / transport.CLOCK_PER_SECOND)
        return ticks / transport.CLOCK_PER_SECOND

    def _begin_span(self, unit: transport.Unit) -> None:
        assert unit.dts is not None  # noqa: S101 - looked at in `place`
        self.spans.append(Span(offset=unit.offset, stamp=unit.dts, seconds=self._at / transport.CLOCK_PER_SECOND))
