"""Tells segments of several eras of the wall clock in the time of one; pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from nephos.recording import cuts, segments


def shifted(source: cuts.Source, by: timedelta) -> cuts.Source:
    """A segment whose clock was ahead or behind by so much."""
    if not by:
        return source
    seconds = tuple(replace(one, utc=one.utc + by) for one in source.journal.seconds)
    resumes = tuple(replace(one, at=one.at + by, last_write=one.last_write + by) for one in source.journal.resumes)
    return cuts.Source(
        replace(source.segment, start=source.segment.start + by),
        replace(source.journal, seconds=seconds, resumes=resumes),
        source.written_at + by,
    )


def in_order(sources: Sequence[cuts.Source]) -> list[cuts.Source]:
    """No second of a later era begins before the last one of the era before it.

    A clock that is set in the middle of a second leaves two parts of it, each noted from the start of its own second.
    """
    last = datetime.min.replace(tzinfo=UTC)
    era = sources[0].segment.era if sources else 0
    told: list[cuts.Source] = []
    for source in sources:
        is_first = source.segment.era != era
        told.append(replace(source, journal=_not_before(source.journal, last)) if is_first else source)
        era = source.segment.era
        last = max([last, *(one.utc for one in told[-1].journal.seconds)])
    return told


def _not_before(journal: segments.Journal, last: datetime) -> segments.Journal:
    return replace(journal, seconds=tuple(_late(journal.seconds, last)))


def _late(seconds: Iterable[segments.Second], last: datetime) -> Iterable[segments.Second]:
    for one in seconds:
        late = (last - one.utc).total_seconds()
        yield replace(one, utc=last, first=_less(one.first, late), last=_less(one.last, late)) if late > 0 else one


def _less(place: float | None, seconds: float) -> float | None:
    return None if place is None else round(max(0.0, place - seconds), 3)
