"""When a recording is to begin, as people type it; pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from nephos.lib import errors, text
from nephos.recording import fields, rules

_HINT = "Write it like 20:00, -30m or 2026-11-22T19:16:20Z."
_DAY = timedelta(days=1)


def read(given: str, *, zone: str, now: datetime) -> datetime:
    """`20:00` is the nearest one in that zone, before or after now; `-30m` is half an hour ago. Raises Invalid."""
    clean = given.strip()
    if clean.startswith("-"):
        return (now - text.parse_duration(clean[1:])).replace(microsecond=0)
    if "T" in clean.upper():
        return _moment(clean)
    start = fields.read_time(clean)
    place = ZoneInfo(zone)
    today = now.astimezone(place).date()
    near = [rules.moment(datetime.combine(day, start), place)[0] for day in (today - _DAY, today, today + _DAY)]
    return min(near, key=lambda moment: abs(moment - now))


def _moment(given: str) -> datetime:
    try:
        moment = datetime.fromisoformat(given)
    except ValueError as error:
        raise errors.Invalid(f"{given[:40]!r} is no moment.", hint=_HINT) from error
    if moment.tzinfo is None:
        raise errors.Invalid("The start names no time zone.", hint=_HINT)
    return moment.astimezone(UTC)
