"""When a schedule airs: wall-clock rules in a time zone, turned into moments of UTC; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import chain
from typing import TypeAlias
from zoneinfo import ZoneInfo

from nephos.lib import text
from nephos.recording import recurrence

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

    The days come from `weekdays` (a mask, Monday 1 ... Sunday 64), every so many weeks if `every_weeks` says so; or
    from `every_days`; or from `recurrence` (RFC 5545). With none of these the rule airs once, on `date`; else `date` is
    the first day, from which is counted, and `until` the last on which an airing may begin. `also_on` and `not_on` are
    days besides and exceptions. `duration` counts elapsed seconds.
    """

    zone: str
    start: time
    duration: timedelta
    date: Day | None = None
    weekdays: int = 0
    padding_before: timedelta = timedelta(0)
    padding_after: timedelta = timedelta(0)
    until: Day | None = None
    every_days: int = 0
    every_weeks: int = 0
    recurrence: str = ""
    also_on: frozenset[Day] = frozenset()
    not_on: frozenset[Day] = frozenset()

    @property
    def repeats(self) -> bool:
        """Whether it airs on more than one day by itself."""
        return bool(self.weekdays or self.every_days or self.every_weeks or self.recurrence)

    @property
    def has_days(self) -> bool:
        """Whether it can air at all."""
        return self.repeats or self.date is not None or bool(self.also_on)

    @property
    def is_counted(self) -> bool:
        """Whether it counts from its first day, so that it needs one."""
        return bool(self.every_days or self.every_weeks or self.recurrence)


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


def changes_of_clocks(rule: Rule, after: datetime, *, within: timedelta = timedelta(days=370)) -> list[Occurrence]:
    """The airings ahead over which the clocks change, each with a note that says what that means."""
    zone = ZoneInfo(rule.zone)
    found = []
    for one in occurrences(rule, after, after + within):
        before, behind = one.start.astimezone(zone), one.end.astimezone(zone)
        if one.note:
            found.append(one)
        elif before.utcoffset() != behind.utcoffset():
            face = f"The clocks change while it airs: it ends at {behind:%X}, after {text.duration(rule.duration)}."
            found.append(Occurrence(one.start, one.end, face))
    return found


def words(rule: Rule) -> str:
    """The rule as a sentence: `Monday to Friday at 20:30 Europe/Madrid, for 30m`."""
    clock_face = f"{rule.start:%H:%M}" if not rule.start.second else f"{rule.start:%H:%M:%S}"
    if rule.recurrence and recurrence.sets_its_own_time(rule.recurrence):
        clock_face = f"their times from {clock_face}"
    parts = [f"{_days_in_words(rule)} at {clock_face} {rule.zone}", f"for {text.duration(rule.duration)}"]
    if rule.padding_before or rule.padding_after:
        before, after = text.duration(rule.padding_before), text.duration(rule.padding_after)
        parts.append(f"from {before} before to {after} after")
    if rule.repeats and rule.date:
        parts.append(f"from {day_in_words(rule.date)}")
    if rule.repeats and rule.until:
        parts.append(f"until {day_in_words(rule.until)}")
    for days, how in ((rule.also_on, "also on"), (rule.not_on, "not on")):
        if days:
            parts.append(f"{how} {_days_listed(days)}")
    return ", ".join(parts)


def _days_listed(days: Iterable[Day], most: int = 5) -> str:
    shown = [day_in_words(day) for day in sorted(days)]
    more = f" and {len(shown) - most} more" if len(shown) > most else ""
    return " and ".join(shown[:most]) + more


def day_in_words(day: date) -> str:
    """`Thursday 26 November 2026`, the same in every locale."""
    return f"{_NAMES[day.weekday()]} {day.day} {_MONTHS[day.month - 1]} {day.year}"


def _days_in_words(rule: Rule) -> str:
    if rule.recurrence:
        return recurrence.words(rule.recurrence)
    if rule.every_days:
        return "Every day" if rule.every_days == 1 else f"Every {rule.every_days} days"
    if rule.every_weeks > 1:
        return f"Every {rule.every_weeks} weeks on {_weekdays_in_words(_mask(rule))}"
    if not rule.repeats:
        return f"Once, on {day_in_words(rule.date)}" if rule.date else "Never by itself"
    return _weekdays_in_words(_mask(rule))


def _weekdays_in_words(mask: int) -> str:
    if mask == EVERY_DAY:
        return "Every day"
    if mask == WORKING_DAYS:
        return "Monday to Friday"
    days = [name for number, name in enumerate(_NAMES) if mask >> number & 1]
    return days[0] if len(days) == 1 else f"{', '.join(days[:-1])} and {days[-1]}"


def _mask(rule: Rule) -> int:
    """The weekdays; those of the first day if only weeks are given."""
    return rule.weekdays or (1 << rule.date.weekday() if rule.date else 0)


def _walls(rule: Rule, zone: ZoneInfo, after: datetime, before: datetime) -> Iterator[datetime]:
    """Wall-clock starts, without zone, on every day that could matter."""
    # Two days more on both sides: no zone is further from UTC than a day, and a jump moves a start by a day at most.
    first = (after - rule.duration - rule.padding_after).astimezone(zone).date() - 2 * _DAY
    last = (before + rule.padding_before).astimezone(zone).date() + 2 * _DAY
    also = (datetime.combine(day, rule.start) for day in rule.also_on if first <= day <= last)
    for wall in chain(_regular(rule, zone, first, last), also):
        if wall.date() not in rule.not_on:
            yield wall


def _regular(rule: Rule, zone: ZoneInfo, first: Day, last: Day) -> Iterator[datetime]:
    if not rule.repeats:
        if rule.date is not None:
            yield datetime.combine(rule.date, rule.start)
        return
    begin = max(first, rule.date) if rule.date else first
    end = min(last, rule.until) if rule.until else last
    if begin > end:
        return
    if rule.recurrence:
        start = datetime.combine(rule.date or begin, rule.start)
        yield from recurrence.walls(rule.recurrence, zone, start, datetime.combine(begin, time()), _end_of(end))
        return
    for day in _days(rule, begin, end):
        yield datetime.combine(day, rule.start)


def _days(rule: Rule, begin: Day, end: Day) -> Iterator[Day]:
    """Every day from `begin` to `end` on which a rule of days or weeks airs."""
    anchor = rule.date or begin
    if rule.every_days:
        step = timedelta(days=rule.every_days)
        day = begin + (anchor - begin) % step
        while day <= end:
            yield day
            day += step
        return
    monday = anchor - anchor.weekday() * _DAY
    every, mask = max(1, rule.every_weeks), _mask(rule)
    day = begin
    while day <= end:
        if mask >> day.weekday() & 1 and (day - monday).days // 7 % every == 0:
            yield day
        day += _DAY


def _end_of(day: Day) -> datetime:
    return datetime.combine(day, time.max)
