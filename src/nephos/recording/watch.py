"""What is wrong with a stream that comes: told after some seconds of it, and forgotten after some good ones; pure."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nephos.recording import health

_HOLD_SECONDS = 5


class Problem(StrEnum):
    """Of a stream whose bytes arrive."""

    NONE = ""
    NOT_TS = "not-ts"  # bytes, but no packets
    STUFFING = "stuffing"  # a carrier without a programme
    SCRAMBLED = "scrambled"
    FROZEN = "frozen-clock"  # packets, but the programme's clock stands still
    LOSSES = "losses"  # packets are missing all the time


class Watch:
    """Call `note` once a second."""

    def __init__(self) -> None:
        self.problem = Problem.NONE
        self._seen = Problem.NONE
        self._seconds = 0

    def note(self, counts: health.Counts, *, sync_bytes: int, is_frozen: bool) -> bool:
        """What one second showed; whether the problem changed. A second without bytes says nothing."""
        if not counts.packets and not sync_bytes:
            return False
        seen = _seen(counts, sync_bytes=sync_bytes, is_frozen=is_frozen)
        self._seconds = self._seconds + 1 if seen is self._seen else 1
        self._seen = seen
        if seen is self.problem or self._seconds < _HOLD_SECONDS:
            return False
        self.problem = seen
        return True


def _seen(counts: health.Counts, *, sync_bytes: int, is_frozen: bool) -> Problem:
    if counts.packets * 188 < sync_bytes:
        return Problem.NOT_TS
    if counts.null == counts.packets:
        return Problem.STUFFING
    if counts.scrambled * 10 >= counts.packets:
        return Problem.SCRAMBLED
    if is_frozen:
        return Problem.FROZEN
    return Problem.LOSSES if counts.cc * 100 >= counts.packets else Problem.NONE
