"""When a volume will be full, from what is booked and how it went so far; pure."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

_FURTHEST = timedelta(days=365)
_LEAST_TREND = timedelta(hours=6)  # of less history nothing follows


@dataclass(frozen=True, slots=True)
class Draw:
    """Something that will be written: from when to when, how fast."""

    start: datetime
    end: datetime
    bytes_per_second: float


@dataclass(frozen=True, slots=True)
class Sample:
    """How much was free at a moment."""

    at: datetime
    free_bytes: int


def full_at(
    *, now: datetime, usable_bytes: int, draws: Sequence[Draw], background: float = 0.0, later: float = 0.0
) -> datetime | None:
    """When the space is used up; None if not within a year.

    `background` is written all the time besides (bytes a second), `later` from the last draw's end on.
    """
    if usable_bytes <= 0:
        return now
    ahead = [Draw(max(one.start, now), one.end, one.bytes_per_second) for one in draws if one.end > now]
    edges = sorted({now, *(one.start for one in ahead), *(one.end for one in ahead)})
    left = float(usable_bytes)
    for start, end in itertools.pairwise(edges):
        rate = background + sum(one.bytes_per_second for one in ahead if one.start <= start and one.end >= end)
        length = (end - start).total_seconds()
        if rate > 0 and left <= rate * length:
            return start + timedelta(seconds=left / rate)
        left -= rate * length
    rate = background + later
    if rate <= 0 or left / rate > _FURTHEST.total_seconds():
        return None
    return edges[-1] + timedelta(seconds=left / rate)


def trend(samples: Sequence[Sample]) -> float:
    """Bytes a second by which the free space shrank: the median slope, so that one clean-up does not mislead."""
    slopes = sorted(
        (first.free_bytes - last.free_bytes) / (last.at - first.at).total_seconds()
        for number, first in enumerate(samples)
        for last in samples[number + 1 :]
        if last.at - first.at >= _LEAST_TREND / 2
    )
    enough = len(samples) > 1 and samples[-1].at - samples[0].at >= _LEAST_TREND
    return max(0.0, slopes[len(slopes) // 2]) if slopes and enough else 0.0
