"""Which day's digest is due, by a wall-clock time in a zone; pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from nephos.recording import rules


@dataclass(frozen=True, slots=True)
class Digest:
    """What a digest tells of: from the one before to its own moment."""

    day: date
    since: datetime
    until: datetime


def last_due(now: datetime, *, at: time, zone: ZoneInfo) -> Digest:
    """The newest digest whose moment is over. On the days of a change of clocks it comes once, too."""
    day = now.astimezone(zone).date() + timedelta(days=1)
    while (until := _moment(day, at, zone)) > now:
        day -= timedelta(days=1)
    return Digest(day=day, since=_moment(day - timedelta(days=1), at, zone), until=until)


def _moment(day: date, at: time, zone: ZoneInfo) -> datetime:
    return rules.moment(datetime.combine(day, at), zone)[0]
