"""Whether a programme's clock runs: compared with our own, with its wrap after 26.5 hours; pure."""

from __future__ import annotations

from dataclasses import dataclass

TICKS_PER_SECOND = 27_000_000
WRAP = (1 << 33) * 300
_JUMP_SECONDS = 1.0
_FROZEN_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Step:
    """What one second showed."""

    jumped: bool = False  # by more than a second against our clock, and not by its wrap
    wrapped: bool = False
    is_frozen: bool = False  # it came and did not go on for some seconds


class Clock:
    """The last reference and when it was seen."""

    def __init__(self) -> None:
        self._ticks: int | None = None
        self._mono = 0.0
        self._moved_mono = 0.0

    def forget(self) -> None:
        """Another stream begins."""
        self._ticks = None

    def step(self, ticks: int | None, mono: float) -> Step:
        """The last reference of a second; None if none came in it, which says nothing."""
        if ticks is None:
            return Step()
        before, self._ticks = self._ticks, ticks
        passed, self._mono = mono - self._mono, mono
        if before is None:
            self._moved_mono = mono
            return Step()
        if ticks == before:
            return Step(is_frozen=mono - self._moved_mono >= _FROZEN_SECONDS)
        self._moved_mono = mono
        ahead = ((ticks - before + WRAP // 2) % WRAP - WRAP // 2) / TICKS_PER_SECOND
        jumped = abs(ahead - passed) > _JUMP_SECONDS
        return Step(jumped=jumped, wrapped=not jumped and ticks < before)
