"""What of a window was not received, and why; pure.

The journals say for each second when its first and its last bytes came. Whatever lies between two arrivals is a hole:

* a hole of a second or more is a gap; a shorter one only if packets are known to be lost over it;
* a restart of the recorder is always a gap, from the last write before it to the first arrival after it;
* a second of which bytes could not be written is a gap as a whole.

A hole is blamed on the sender as far as the recorder listened, else on the recorder.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Any

from nephos.lib import clock
from nephos.recording import segments

LEAST = timedelta(seconds=1)
_LEAST_WITH_LOSS = timedelta(seconds=0.5)
_SECOND = timedelta(seconds=1)
# The line of the second in which the recorder was told to end stands for the whole of it, and the last arrival lies in
# the second before: so much silence beside its absence is the recorder's, not the sender's.
_EDGE = timedelta(seconds=2)


class Cause(StrEnum):
    """Why nothing was received, in words."""

    NO_SIGNAL = "no signal"
    NOT_RUNNING = "the recorder was not running"
    STARTED_LATE = "started late"
    DISK = "disk full or too slow"
    LOST = "packets were lost on the way"


@dataclass(frozen=True, slots=True, order=True)
class Gap:
    """A time of which there is nothing."""

    start: datetime
    end: datetime
    cause: Cause

    @property
    def seconds(self) -> float:
        return round((self.end - self.start).total_seconds(), 3)

    def document(self) -> dict[str, Any]:
        """As the manifest and the library keep it."""
        return {
            "start": clock.stamp(self.start),
            "end": clock.stamp(self.end),
            "seconds": self.seconds,
            "cause": str(self.cause),
        }


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time."""

    start: datetime
    end: datetime

    def clipped(self, window: Span) -> Span | None:
        """The part inside a window, None if there is none."""
        start, end = max(self.start, window.start), min(self.end, window.end)
        return Span(start, end) if start <= end and self.start < window.end and self.end >= window.start else None


@dataclass(frozen=True, slots=True)
class Break:
    """A restart of the recorder. `start` and `end` are the arrivals around it; in between, it was down for a while."""

    start: datetime
    end: datetime
    down_from: datetime
    up_at: datetime


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the journals of a window's segments say, in the order of time.

    `tails` are times of which there are bytes and no line: what a kill left behind the last line of a journal.
    """

    seconds: Sequence[segments.Second] = ()
    breaks: Sequence[Break] = ()
    tails: Sequence[Span] = ()


def find(evidence: Evidence, window: Span) -> list[Gap]:
    """The gap map of a window, in order."""
    arrivals = _arrivals(evidence, window)
    watched = _watched(evidence)
    edges = [Span(window.start, window.start), *arrivals, Span(window.end, window.end)]
    found: list[Gap] = []
    for before, after in pairwise(edges):
        hole = Span(before.end, after.start)
        if _counts(hole, evidence, window):
            found += _blamed(hole, evidence, watched, window)
    return found


def recorded(evidence: Evidence, window: Span) -> Span | None:
    """From the first to the last arrival inside the window, None if nothing came."""
    arrivals = _arrivals(evidence, window)
    return Span(arrivals[0].start, arrivals[-1].end) if arrivals else None


def _arrivals(evidence: Evidence, window: Span) -> list[Span]:
    """Merged stretches between which something is missing, clipped to the window."""
    spans = [span for second in evidence.seconds if (span := arrival(second)) is not None]
    spans += evidence.tails
    clipped = [part for span in spans if (part := span.clipped(window)) is not None]
    merged: list[Span] = []
    for span in sorted(clipped, key=lambda one: (one.start, one.end)):
        if merged and span.start <= merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return merged


def arrival(second: segments.Second) -> Span | None:
    """From the first to the last bytes of a second that were written, None if there are none or not all were."""
    if not second.bytes or second.unwritten:
        return None
    first = second.first if second.first is not None else 0.0
    last = second.last if second.last is not None else 1.0
    return Span(second.utc + timedelta(seconds=first), second.utc + timedelta(seconds=max(first, last)))


def _counts(hole: Span, evidence: Evidence, window: Span) -> bool:
    length = hole.end - hole.start
    if length >= LEAST:
        return True
    if length <= timedelta(0):
        return False
    if _is_broken(hole, evidence, window):
        return True
    return length >= _LEAST_WITH_LOSS and any(
        second.cc for second in evidence.seconds if second.utc <= hole.end < second.utc + _SECOND
    )


def _is_broken(hole: Span, evidence: Evidence, window: Span) -> bool:
    """Whether the recorder went away here, in the middle of what it received of the window."""
    return any(window.start <= one.start < hole.end and hole.start < one.end for one in evidence.breaks)


def _watched(evidence: Evidence) -> list[Span]:
    """When the recorder listened: every second of which it wrote a line, less the time before it came back."""
    whole = _joined(Span(second.utc, second.utc + _SECOND) for second in evidence.seconds)
    for one in evidence.breaks:
        whole = _without(whole, Span(one.down_from, one.up_at))
    return whole


def _blamed(hole: Span, evidence: Evidence, watched: Sequence[Span], window: Span) -> list[Gap]:
    """A hole in pieces of one cause each; pieces under a second join their neighbour."""
    if hole.end - hole.start < LEAST:
        broken = _is_broken(hole, evidence, window)
        return [Gap(hole.start, hole.end, Cause.NOT_RUNNING if broken else Cause.LOST)]
    cuts = {hole.start, hole.end}
    for span in watched:
        cuts |= {edge for edge in (span.start, span.end) if hole.start < edge < hole.end}
    full = [Span(one.utc, one.utc + _SECOND) for one in evidence.seconds if one.unwritten]
    for span in _joined(full):
        cuts |= {edge for edge in (span.start, span.end) if hole.start < edge < hole.end}
    pieces = [
        Gap(start, end, _cause(Span(start, end), watched=watched, full=full, window=window))
        for start, end in pairwise(sorted(cuts))
    ]
    return _smoothed(pieces)


def _cause(piece: Span, *, watched: Sequence[Span], full: Sequence[Span], window: Span) -> Cause:
    middle = piece.start + (piece.end - piece.start) / 2
    if any(span.start <= middle < span.end for span in full):
        return Cause.DISK
    if any(span.start <= middle < span.end for span in watched):
        return Cause.NO_SIGNAL
    return Cause.STARTED_LATE if piece.start == window.start else Cause.NOT_RUNNING


def _smoothed(pieces: list[Gap]) -> list[Gap]:
    """Adjacent pieces of one cause are one; a short piece takes the cause of the longest piece beside it."""
    merged = _merged(_without_edges(_merged(pieces)))
    while len(merged) > 1:
        place, shortest = min(enumerate(merged), key=lambda one: one[1].end - one[1].start)
        if shortest.end - shortest.start >= LEAST:
            break
        neighbours = [merged[near] for near in (place - 1, place + 1) if 0 <= near < len(merged)]
        longest = max(neighbours, key=lambda gap: gap.end - gap.start)
        merged[place] = Gap(shortest.start, shortest.end, longest.cause)
        merged = _merged(merged)
    return merged


def _without_edges(pieces: list[Gap]) -> list[Gap]:
    """Silence at the edge of the recorder's absence belongs to that."""

    def is_edge(place: int, gap: Gap) -> bool:
        beside = pieces[max(0, place - 1) : place + 2]
        is_short = gap.cause is Cause.NO_SIGNAL and gap.end - gap.start < _EDGE
        return is_short and any(one.cause is Cause.NOT_RUNNING for one in beside)

    return [
        Gap(gap.start, gap.end, Cause.NOT_RUNNING if is_edge(place, gap) else gap.cause)
        for place, gap in enumerate(pieces)
    ]


def _merged(pieces: Iterable[Gap]) -> list[Gap]:
    merged: list[Gap] = []
    for gap in pieces:
        if merged and merged[-1].cause == gap.cause and merged[-1].end == gap.start:
            merged[-1] = Gap(merged[-1].start, gap.end, gap.cause)
        else:
            merged.append(gap)
    return merged


def _joined(spans: Iterable[Span]) -> list[Span]:
    joined: list[Span] = []
    for span in sorted(spans, key=lambda one: one.start):
        if joined and span.start <= joined[-1].end:
            joined[-1] = Span(joined[-1].start, max(joined[-1].end, span.end))
        else:
            joined.append(span)
    return joined


def _without(spans: Sequence[Span], hole: Span) -> list[Span]:
    if hole.start >= hole.end:
        return list(spans)
    left: list[Span] = []
    for span in spans:
        if span.end <= hole.start or span.start >= hole.end:
            left.append(span)
            continue
        if span.start < hole.start:
            left.append(Span(span.start, hole.start))
        if span.end > hole.end:
            left.append(Span(hole.end, span.end))
    return left
