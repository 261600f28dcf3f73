"""What people type for a schedule, read into values or refused with one sentence; pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, time, timedelta
from typing import Any, TypedDict

from nephos.lib import errors, text
from nephos.library import naming
from nephos.recording import recurrence, rules

Length = str | int | float | timedelta


class ScheduleFields(TypedDict, total=False):
    """What a schedule can be given besides its name and channel, as text or as values."""

    start: str | time
    date: str | date | None
    weekdays: int | str | Sequence[str]
    every: str
    rule: str
    not_on: Sequence[str | date]
    also_on: Sequence[str | date]
    duration: Length
    padding_before: Length
    padding_after: Length
    until: str | date | None
    zone: str
    pipeline: str
    priority: int
    tags: Sequence[str]
    enabled: bool


LONGEST_PADDING = timedelta(hours=6)
MOST_TAGS = 50
PRIORITIES = range(-100, 101)

MOST_EVERY = 366
MOST_DAYS = 400
_EVERY = re.compile(r"(\d{1,4})\s*(d|w|days?|weeks?)", re.ASCII)
_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_MASK = re.compile(r"[01]{7}")
_PIPELINE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LONG_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_GROUPS = {
    "": 0,
    "once": 0,
    "daily": rules.EVERY_DAY,
    "every day": rules.EVERY_DAY,
    "weekdays": rules.WORKING_DAYS,
    "weekend": rules.WEEKEND,
    "weekends": rules.WEEKEND,
}
_DAYS_HINT = "Write days like mon,wed,fri or mon-fri, daily, weekdays, weekend, or 1111100 (Monday first)."


def columns(given: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of a schedule for the fields given. Raises Invalid for a bad or unknown one."""
    unknown = set(given) - set(_COLUMNS)
    if unknown:
        raise errors.Invalid(f"A schedule has no {', '.join(sorted(unknown))[:80]}.")
    found = {_COLUMNS[name][0]: _COLUMNS[name][1](value) for name, value in given.items()}
    # Who names one kind of days means that kind; two kinds at once are refused by the service.
    if found.get("recurrence"):
        found = {"weekdays": 0, "every": ""} | found
    elif str(found.get("every", "")).endswith("days"):
        found = {"weekdays": 0, "recurrence": ""} | found
    elif found.get("weekdays") or found.get("every"):
        found = {"recurrence": ""} | found
    return found


def read_time(value: str | time) -> time:
    """`20:30` or `20:30:15`. Raises Invalid."""
    if isinstance(value, time):
        if value.microsecond or value.tzinfo:
            raise errors.Invalid("A start time has whole seconds and no zone of its own.")
        return value
    match = _TIME.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise errors.Invalid(f"{_shown(value)} is no time of day.", hint="Write it like 20:30 or 20:30:15.")
    hour, minute, second = (int(part or 0) for part in match.groups())
    return time(hour, minute, second)


def read_date(value: str | date | None) -> date | None:
    """`2028-02-29`, or None for nothing. Raises Invalid."""
    if value is None or isinstance(value, date):
        return value
    if not value:
        return None
    try:
        if _DATE.fullmatch(value):
            return date.fromisoformat(value)
    except (TypeError, ValueError):
        pass
    raise errors.Invalid(f"{_shown(value)} is no date.", hint="Write it like 2026-11-22.")


def read_weekdays(value: int | str | Sequence[str]) -> int:
    """The mask of days: an int, `1111100` (Monday first), `mon-fri`, `sat,sun`, `daily`... Raises Invalid."""
    if isinstance(value, int) and not isinstance(value, bool):
        if 0 <= value <= rules.EVERY_DAY:
            return value
        raise errors.Invalid(f"{value} is no set of weekdays.", hint=_DAYS_HINT)
    if isinstance(value, list | tuple):
        value = ",".join(str(day) for day in value)
    if not isinstance(value, str):
        raise errors.Invalid(f"{_shown(value)} is no set of weekdays.", hint=_DAYS_HINT)
    lowered = value.strip().lower()
    if lowered in _GROUPS:
        return _GROUPS[lowered]
    if _MASK.fullmatch(lowered):
        return sum(1 << number for number, bit in enumerate(lowered) if bit == "1")
    mask = 0
    for part in lowered.split(","):
        mask |= _read_days(part.strip(), whole=value)
    return mask


def _read_days(part: str, *, whole: str) -> int:
    first, dash, last = part.partition("-")
    start = _day_number(first.strip(), whole)
    if not dash:
        return 1 << start
    end = _day_number(last.strip(), whole)
    return sum(1 << (start + step) % 7 for step in range((end - start) % 7 + 1))


def _day_number(name: str, whole: str) -> int:
    for names in (_DAYS, _LONG_DAYS):
        if name in names:
            return names.index(name)
    raise errors.Invalid(f"{_shown(whole)} is no set of weekdays.", hint=_DAYS_HINT)


def read_every(value: str) -> str:
    """`3 days`, `2 weeks`, `3d`, `2w`; nothing for not. Kept as `3 days` or `2 weeks`. Raises Invalid."""
    lowered = value.strip().lower() if isinstance(value, str) else "?"
    if lowered in {"", "none"}:
        return ""
    match = _EVERY.fullmatch(lowered)
    if match is None or not 1 <= int(match[1]) <= MOST_EVERY:
        raise errors.Invalid(f"{_shown(value)} is no interval.", hint="Write it like 3 days or 2 weeks, at most 366.")
    return f"{int(match[1])} {'days' if match[2].startswith('d') else 'weeks'}"


def read_days(value: Sequence[str | date] | None) -> list[str]:
    """Dates, each once, in order; `none` for none. Raises Invalid."""
    if value is None or value == "none":
        return []
    if isinstance(value, str):
        value = [part for part in re.split(r"[\s,;]+", value) if part]
    if not isinstance(value, list | tuple | set | frozenset):
        raise errors.Invalid(f"{_shown(value)} is no list of dates.")
    if len(value) > MOST_DAYS:
        raise errors.Invalid(f"There are more than {MOST_DAYS} dates.")
    found = {day for one in value if one != "none" and (day := read_date(one)) is not None}
    return [day.isoformat() for day in sorted(found)]


def read_length(value: Length, *, what: str, least: timedelta, most: timedelta) -> timedelta:
    """A length in whole seconds between two bounds; bare numbers are seconds. Raises Invalid."""
    length = _length(value)
    if length % timedelta(seconds=1):
        raise errors.Invalid(f"The {what} is not a whole number of seconds.")
    if length < least:
        raise errors.Invalid(f"The {what} is shorter than {text.duration(least)}.")
    if length > most:
        raise errors.Invalid(f"The {what} is longer than {text.duration(most)}.")
    return length


def _length(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    if isinstance(value, str):
        return text.parse_duration(value)
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e9:
        return timedelta(seconds=value)
    raise errors.Invalid(f"{_shown(value)} is not a length of time.", hint="Write it like 90s, 20m or 1h30m.")


def read_duration(value: Length) -> timedelta:
    """How long an airing lasts: 1 s to 7 days. Raises Invalid."""
    return read_length(value, what="duration", least=timedelta(seconds=1), most=rules.LONGEST)


def read_padding(value: Length) -> timedelta:
    """What is recorded before or after: nothing to 6 h. Raises Invalid."""
    return read_length(value, what="padding", least=timedelta(0), most=LONGEST_PADDING)


def read_pipeline(value: str) -> str:
    """The name of a pipeline, `none`, or nothing for the station's. Raises Invalid."""
    if value and not (isinstance(value, str) and _PIPELINE.fullmatch(value)):
        raise errors.Invalid(f"{_shown(value)} is no name of a pipeline.", hint="`nephos pipeline list` shows them.")
    return value or ""


def read_priority(value: int) -> int:
    """-100 to 100; more goes first. Raises Invalid."""
    if not isinstance(value, int) or isinstance(value, bool) or value not in PRIORITIES:
        raise errors.Invalid(f"{_shown(value)} is no priority.", hint="It goes from -100 to 100; the usual one is 0.")
    return value


def read_tags(value: Sequence[str] | None) -> list[str]:
    """Tags, each once, in the order given. Raises Invalid."""
    if value is None:
        return []
    if not isinstance(value, list | tuple) or not all(isinstance(tag, str) for tag in value):
        raise errors.Invalid("Tags are a list of words.")
    tags = list(dict.fromkeys(naming.title(tag, what="tag") for tag in value))
    if len(tags) > MOST_TAGS:
        raise errors.Invalid(f"There are more than {MOST_TAGS} tags.")
    return tags


def read_zone(value: str) -> str:
    """An IANA zone, or nothing for the channel's. Raises Invalid."""
    if value and not (isinstance(value, str) and rules.is_zone(value)):
        raise errors.Invalid(f"{_shown(value)} is no IANA time zone.", hint="For example Europe/Madrid.")
    return value or ""


def read_enabled(value: bool) -> bool:  # noqa: FBT001 - the value itself
    """Yes or no. Raises Invalid."""
    if not isinstance(value, bool):
        raise errors.Invalid(f"{_shown(value)} is neither true nor false.")
    return value


def _shown(value: object) -> str:
    return repr(value if not isinstance(value, str) else value[:40])[:60]


def _seconds(read: Callable[[Any], timedelta]) -> Callable[[Any], int]:
    return lambda value: int(read(value).total_seconds())


_COLUMNS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "start": ("start_time", read_time),
    "date": ("date", read_date),
    "weekdays": ("weekdays", read_weekdays),
    "every": ("every", read_every),
    "rule": ("recurrence", recurrence.read),
    "not_on": ("not_on", read_days),
    "also_on": ("also_on", read_days),
    "duration": ("duration_seconds", _seconds(read_duration)),
    "padding_before": ("padding_before_seconds", _seconds(read_padding)),
    "padding_after": ("padding_after_seconds", _seconds(read_padding)),
    "until": ("until", read_date),
    "zone": ("zone", read_zone),
    "pipeline": ("pipeline", read_pipeline),
    "priority": ("priority", read_priority),
    "tags": ("tags", read_tags),
    "enabled": ("enabled", read_enabled),
}
