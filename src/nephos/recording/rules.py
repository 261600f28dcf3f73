"""When a schedule airs: wall-clock rules in a time zone, turned into moments of UTC; pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeAlias
from zoneinfo import ZoneInfo

from dateutil import rrule

from nephos.lib import text

EVERY_DAY = 0b1111111
WORKING_DAYS = 0b0011111
WEEKEND = 0b1100000
LONGEST = timedelta(days=7)

Day: TypeAlias = date  # a field of Rule is called `date`

_DAY = timedelta(days=1)
_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A wall-clock time in a zone, and on which days.

    `weekdays` is a mask (Monday 1 ... Sunday 64). With 0 the rule airs once, on `date`; else `date` is the first day,
    if there is one, and `until` the last day on which an airing may begin. `duration` counts elapsed seconds.
    """

    zone: str
    start: time
    duration: timedelta
    date: Day | None = None
    weekdays: int = 0
    padding_before: timedelta = timedelta(0)
    padding_after: timedelta = timedelta(0)
    until: Day | None = None


@dataclass(frozen=True, slots=True, order=True)
class Occurrence:
    """One airing in UTC, without padding; `note` says what a change of the clocks did to it."""

    start: datetime
    end: datetime
    note: str = ""


def occurrences(rule: Rule, after: datetime, before: datetime) -> list[Occurrence]:
    """All airings whose padded window touches the time from `after` to `before`, in order, each once.

    One that is already running at `after` is among them: its remainder can still be recorded.
    """
    zone = ZoneInfo(rule.zone)
    found: dict[datetime, Occurrence] = {}
    for wall in _walls(rule, zone, after, before):
        start, note = moment(wall, zone)
        end = start + rule.duration
        if end + rule.padding_after > after and start - rule.padding_before < before:
            # A zone that skipped a whole day (Apia, 30 December 2011) moves an airing onto the next day's.
            found.setdefault(start, Occurrence(start, end, note))
    return sorted(found.values())


def upcoming(rule: Rule, after: datetime, *, count: int) -> list[Occurrence]:
    """The next airings that have not ended, at most `count`, looking five years ahead."""
    found: list[Occurrence] = []
    since = after
    for weeks in (2, 10, 52, 260):
        before = after + timedelta(weeks=weeks)
        known = {occurrence.start for occurrence in found}
        found += [one for one in occurrences(rule, since, before) if one.start not in known]
        if len(found) >= count:
            break
        since = before
    return found[:count]


def moment(wall: datetime, zone: ZoneInfo) -> tuple[datetime, str]:
    """The UTC moment of a wall-clock time, and a note if the clocks change over it.

    A time that does not exist is moved by the length of the jump; of a time that comes twice the first counts.
    """
    local = wall.replace(tzinfo=zone, fold=0)
    utc = local.astimezone(UTC)
    real = utc.astimezone(zone)
    if real.replace(tzinfo=None) != wall:
        return utc, f"{wall:%H:%M:%S} does not exist on that day: the clocks go forward, so it starts at {real:%X}."
    if local.utcoffset() != local.replace(fold=1).utcoffset():
        return utc, f"{wall:%H:%M:%S} comes twice on that day: the clocks go back, so the first one is taken."
    return utc, ""


def zone_of(schedule: str, channel: str, station: str) -> tuple[str, str]:
    """The zone in force: the schedule's, else the channel's, else the station's, else UTC; and a warning if need be."""
    warning = ""
    for owner, name in (("schedule", schedule), ("channel", channel), ("station", station)):
        if not name:
            continue
        if is_zone(name):
            return name, warning
        warning = f"The {owner}'s time zone {name[:60]!r} is unknown here."
    return "UTC", warning or "Neither the schedule, the channel nor this machine names a time zone, so UTC is taken."


def is_zone(name: str) -> bool:
    """Whether this machine knows the zone."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def words(rule: Rule) -> str:
    """The rule as a sentence: `Monday to Friday at 20:30 Europe/Madrid, for 30m`."""
    clock_face = f"{rule.start:%H:%M}" if not rule.start.second else f"{rule.start:%H:%M:%S}"
    parts = [f"{_days_in_words(rule)} at {clock_face} {rule.zone}", f"for {text.duration(rule.duration)}"]
    if rule.padding_before or rule.padding_after:
        before, after = text.duration(rule.padding_before), text.duration(rule.padding_after)
        parts.append(f"from {before} before to {after} after")
    if rule.weekdays and rule.date:
        parts.append(f"from {day_in_words(rule.date)}")
    if rule.weekdays and rule.until:
        parts.append(f"until {day_in_words(rule.until)}")
    return ", ".join(parts)


def day_in_words(day: date) -> str:
    """`Thursday 26 November 2026`, the same in every locale."""
    return f"{_NAMES[day.weekday()]} {day.day} {_MONTHS[day.month - 1]} {day.year}"


def _days_in_words(rule: Rule) -> str:
    if not rule.weekdays:
        return f"Once, on {day_in_words(rule.date)}" if rule.date else "Never"
    if rule.weekdays == EVERY_DAY:
        return "Every day"
    if rule.weekdays == WORKING_DAYS:
        return "Monday to Friday"
    days = [name for number, name in enumerate(_NAMES) if rule.weekdays >> number & 1]
    return days[0] if len(days) == 1 else f"{', '.join(days[:-1])} and {days[-1]}"


def _walls(rule: Rule, zone: ZoneInfo, after: datetime, before: datetime) -> Iterator[datetime]:
    """Wall-clock starts, without zone, on every day that could matter."""
    if not rule.weekdays:
        if rule.date is not None:
            yield datetime.combine(rule.date, rule.start)
        return
    # Two days more on both sides: no zone is further from UTC than a day, and a jump moves a start by a day at most.
    first = (after - rule.duration - rule.padding_after).astimezone(zone).date() - 2 * _DAY
    last = (before + rule.padding_before).astimezone(zone).date() + 2 * _DAY
    first = max(first, rule.date) if rule.date else first
    last = min(last, rule.until) if rule.until else last
    if first > last:
        return
    yield from rrule.rrule(
        rrule.WEEKLY,
        byweekday=[number for number in range(7) if rule.weekdays >> number & 1],
        dtstart=datetime.combine(first, rule.start),
        until=datetime.combine(last, rule.start),
    )
