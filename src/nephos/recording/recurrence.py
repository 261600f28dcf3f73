"""RFC 5545 recurrence rules: read, bounded, turned into wall-clock times and into words; pure.

A rule gives wall-clock times without a zone; `rules` puts them into one. What could never air, or would air more than
a hundred times a day, is refused when it is read.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import cast
from zoneinfo import ZoneInfo

from dateutil import rrule

from nephos.lib import errors

LONGEST = 400
MOST_A_DAY = 100
_HINT = "For example FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE or FREQ=MONTHLY;BYDAY=-1SU (RFC 5545)."
_KEYS = frozenset(
    "FREQ INTERVAL COUNT UNTIL WKST BYDAY BYMONTH BYMONTHDAY BYYEARDAY BYWEEKNO BYSETPOS BYHOUR BYMINUTE".split()  # noqa: SIM905
)
_STEPS = {"HOURLY": timedelta(hours=1), "DAILY": timedelta(days=1), "WEEKLY": timedelta(weeks=1)}
_UNITS = {"HOURLY": "hour", "DAILY": "day", "WEEKLY": "week", "MONTHLY": "month", "YEARLY": "year"}
_DAYS = {
    "MO": "Monday",
    "TU": "Tuesday",
    "WE": "Wednesday",
    "TH": "Thursday",
    "FR": "Friday",
    "SA": "Saturday",
    "SU": "Sunday",
}
_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
_ORDINALS = {1: "first", 2: "second", 3: "third", 4: "fourth", 5: "fifth", -1: "last"}
_PROBE = datetime(2024, 1, 1)  # noqa: DTZ001 - wall-clock time; a leap year follows within any nine years


def read(text: str) -> str:
    """A rule as it is kept: upper case, without `RRULE:` in front. Raises Invalid."""
    if not isinstance(text, str):
        raise errors.Invalid("A recurrence rule is a text.", hint=_HINT)
    clean = text.strip().upper().removeprefix("RRULE:")
    if not clean:
        return ""
    if len(clean) > LONGEST:
        raise errors.Invalid(f"The recurrence rule is longer than {LONGEST} characters.")
    parts = _checked(clean)
    if _starts_a_day(parts) > MOST_A_DAY:
        raise errors.Invalid(f"That would air more than {MOST_A_DAY} times a day.", hint=_HINT)
    if not any(True for _ in walls(clean, ZoneInfo("UTC"), _PROBE, _PROBE, _PROBE + timedelta(days=366 * 9))):
        raise errors.Invalid(f"{clean[:80]} never airs.", hint=_HINT)
    return clean


def walls(text: str, zone: ZoneInfo, start: datetime, first: datetime, last: datetime) -> Iterator[datetime]:
    """The wall-clock times from `first` to `last` of a rule that was read before and begins at `start`."""
    parts = _parts(text)
    until = _until(parts.pop("UNTIL", ""), zone)
    counted = "COUNT" in parts
    begin = start if counted else _forward(parts, start, first)
    bare = ";".join(f"{key}={value}" for key, value in parts.items())
    rule = cast("rrule.rrule", rrule.rrulestr(bare, dtstart=begin))
    end = min(last, until) if until else last
    if not counted:
        rule = rule.replace(until=end)
    for wall in rule:
        if wall > end:
            return
        if wall >= first:
            yield wall


def words(text: str) -> str:
    """The days of a rule in words: `Every 2 weeks on Monday and Wednesday`."""
    parts = _parts(text)
    interval = int(parts.get("INTERVAL", "1"))
    unit = _UNITS[parts["FREQ"]]
    said = [f"Every {unit}" if interval == 1 else f"Every {interval} {unit}s"]
    said += [say(parts[key].split(",")) for key, say in _WORDS.items() if key in parts]
    if "COUNT" in parts:
        said.append("once in all" if parts["COUNT"] == "1" else f"{parts['COUNT']} times in all")
    if "UNTIL" in parts:
        said.append(f"until {_until_in_words(parts['UNTIL'])}")
    return " ".join(said)


def sets_its_own_time(text: str) -> bool:
    """Whether the rule names hours or minutes itself, so that the start is only its beginning."""
    parts = _parts(text)
    return parts["FREQ"] == "HOURLY" or "BYHOUR" in parts or "BYMINUTE" in parts


def _parts(text: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in text.split(";") if "=" in part)


def _checked(text: str) -> dict[str, str]:
    keys = [part.partition("=")[0] for part in text.split(";") if part]
    unknown = [key for key in keys if key not in _KEYS]
    if unknown:
        raise errors.Invalid(f"{unknown[0][:40]!r} cannot stand in a recurrence rule here.", hint=_HINT)
    if len(keys) != len(set(keys)):
        raise errors.Invalid("A part of the recurrence rule is there twice.", hint=_HINT)
    parts = _parts(text)
    if parts.get("FREQ") not in _UNITS:
        raise errors.Invalid("The recurrence rule needs FREQ=DAILY, WEEKLY, MONTHLY, YEARLY or HOURLY.", hint=_HINT)
    _check_numbers(parts)
    try:
        rrule.rrulestr(";".join(f"{k}={v}" for k, v in parts.items() if k != "UNTIL"), dtstart=_PROBE)
        _until(parts.get("UNTIL", ""), ZoneInfo("UTC"))
        words(text)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError) as error:
        raise errors.Invalid(f"{text[:80]!r} is no recurrence rule.", hint=_HINT) from error
    return parts


def _check_numbers(parts: dict[str, str]) -> None:
    if "COUNT" in parts and "UNTIL" in parts:
        raise errors.Invalid("A recurrence rule has COUNT or UNTIL, not both.", hint=_HINT)
    for key, most in (("INTERVAL", 1000), ("COUNT", 10_000)):
        value = parts.get(key, "1")
        if not (value.isascii() and value.isdigit() and len(value) < 6 and 1 <= int(value) <= most):
            raise errors.Invalid(f"{key} of a recurrence rule goes from 1 to {most}.", hint=_HINT)
    if "BYMONTH" in parts and not all(_is_number(month, 1, 12) for month in parts["BYMONTH"].split(",")):
        raise errors.Invalid("BYMONTH of a recurrence rule goes from 1 to 12.", hint=_HINT)


def _is_number(text: str, least: int, most: int) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 4 and least <= int(text) <= most


def _starts_a_day(parts: dict[str, str]) -> int:
    hours = len(set(parts["BYHOUR"].split(","))) if "BYHOUR" in parts else 24 if parts["FREQ"] == "HOURLY" else 1
    minutes = len(set(parts["BYMINUTE"].split(","))) if "BYMINUTE" in parts else 1
    return hours * minutes


def _until(text: str, zone: ZoneInfo) -> datetime | None:
    """The last moment in wall-clock time; a bare date means the whole of that day. Raises ValueError."""
    if not text:
        return None
    if len(text) == 8:
        return datetime.strptime(f"{text}T235959", "%Y%m%dT%H%M%S")  # noqa: DTZ007 - wall-clock time
    moment = datetime.strptime(text.removesuffix("Z"), "%Y%m%dT%H%M%S")  # noqa: DTZ007
    if text.endswith("Z"):
        return moment.replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None)
    return moment


def _until_in_words(text: str) -> str:
    day = datetime.strptime(text[:8], "%Y%m%d")  # noqa: DTZ007 - wall-clock time
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def _forward(parts: dict[str, str], start: datetime, first: datetime) -> datetime:
    """A later start that gives the same times from `first` on, so that a rule of long ago costs no more."""
    step = _STEPS.get(parts["FREQ"])
    if step is None or first <= start:
        return start
    step *= int(parts.get("INTERVAL", "1"))
    return start + max(0, math.floor((first - start) / step) - 2) * step


def _day(text: str) -> str:
    number, day = text[:-2], _DAYS[text[-2:]]
    return f"the {_ordinal(int(number))} {day}" if number else day


def _numbered(text: str, noun: str) -> str:
    number = int(text)
    return f"{noun} {number}" if number > 0 else f"the {_ordinal(number)} {noun}"


def _ordinal(number: int) -> str:
    if number in _ORDINALS:
        return _ORDINALS[number]
    return f"{number}th" if number > 0 else f"{-number}th last"


def _listed(items: list[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def _in_months(numbers: list[str]) -> str:
    return f"in {_listed([_MONTHS[int(number) - 1] for number in numbers])}"


def _on_numbered(noun: str) -> Callable[[list[str]], str]:
    return lambda numbers: f"on {_listed([_numbered(number, noun) for number in numbers])}"


_WORDS: dict[str, Callable[[list[str]], str]] = {
    "BYMONTH": _in_months,
    "BYDAY": lambda days: f"on {_listed([_day(day) for day in days])}",
    "BYMONTHDAY": _on_numbered("day of the month"),
    "BYYEARDAY": _on_numbered("day of the year"),
    "BYWEEKNO": lambda weeks: f"in week {_listed(weeks)}",
    "BYHOUR": lambda hours: f"in hour {_listed(hours)}",
    "BYMINUTE": lambda minutes: f"in minute {_listed(minutes)}",
    "BYSETPOS": lambda places: f"({_listed([_ordinal(int(place)) for place in places])} of these)",
}
