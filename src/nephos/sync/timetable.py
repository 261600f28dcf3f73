"""How fast a destination may be fed, and when: a rate, and hours of the week with another one or none at all. Pure."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from nephos.config.errors import ConfigError
from nephos.lib import clock

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LINE = re.compile(r"^(?P<days>[a-z,-]+|daily)\s+(?P<start>\d\d:\d\d)-(?P<end>\d\d:\d\d)\s+(?P<rate>off|full|\d+)$")
_BURST_SECONDS = 0.25
_HINT = 'timetable = ["mon-fri 08:00-18:00 500000", "sat,sun 00:00-24:00 full", "daily 03:00-04:00 off"]'


@dataclass(frozen=True, slots=True)
class Window:
    """Hours of some days, in local time, and the bytes per second in them; None is no limit, 0 is nothing."""

    days: frozenset[int]
    start: int  # minutes of the day
    end: int
    rate: int | None

    def covers(self, moment: datetime) -> bool:
        """Whether a moment of local time is in it; a window over midnight belongs to the day on which it begins."""
        minute = moment.hour * 60 + moment.minute
        day = moment.weekday()
        if self.start < self.end:
            return day in self.days and self.start <= minute < self.end
        return (day in self.days and minute >= self.start) or ((day - 1) % 7 in self.days and minute < self.end)


@dataclass(frozen=True, slots=True)
class Timetable:
    """The first window that covers a moment counts, else the plain rate."""

    windows: tuple[Window, ...] = ()
    plain: int | None = None

    def rate_at(self, moment: datetime) -> int | None:
        """Bytes per second; None is no limit, 0 is nothing."""
        for window in self.windows:
            if window.covers(moment):
                return window.rate
        return self.plain


NO_LIMIT = Timetable()


def parse(lines: Sequence[str], *, plain: int = 0) -> Timetable:
    """`mon-fri 08:00-18:00 500000`; `off` and `full` instead of a rate. Raises ConfigError."""
    return Timetable(tuple(_window(line) for line in lines), plain or None)


def _window(line: str) -> Window:
    found = _LINE.match(line.strip().lower())
    if found is None:
        raise ConfigError(f"{line[:60]!r} is no line of a timetable.", hint=_HINT)
    rate = {"off": 0, "full": None}.get(found["rate"], -1)
    return Window(
        days=_days(found["days"], line),
        start=_minutes(found["start"], line),
        end=_minutes(found["end"], line),
        rate=int(found["rate"]) if rate == -1 else rate,
    )


def _days(text: str, line: str) -> frozenset[int]:
    if text == "daily":
        return frozenset(range(7))
    found: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        if first not in _DAYS or (last or first) not in _DAYS:
            raise ConfigError(f"{line[:60]!r} names no day of the week.", hint=f"Days are {', '.join(_DAYS)}, daily.")
        start, end = _DAYS.index(first), _DAYS.index(last or first)
        found |= {(start + step) % 7 for step in range((end - start) % 7 + 1)}
    return frozenset(found)


def _minutes(text: str, line: str) -> int:
    hours, _, minutes = text.partition(":")
    total = int(hours) * 60 + int(minutes)
    if total > 24 * 60 or int(minutes) > 59:
        raise ConfigError(f"{line[:60]!r} names no time of a day.", hint=_HINT)
    return total if text != "24:00" else 24 * 60


class Throttle:
    """Lets bytes pass at the rate of now. For several threads; a wait is cut short by a stop."""

    def __init__(self, timetable: Timetable) -> None:
        self._timetable = timetable
        self._lock = threading.Lock()
        self._free_at = 0.0

    @property
    def is_closed(self) -> bool:
        """Whether nothing may pass now."""
        return self._rate() == 0

    def delay(self, count: int) -> float:
        """Count so many bytes; how long to wait before the next ones."""
        rate = self._rate()
        if not rate:
            return 0.0
        with self._lock:
            now = clock.monotonic()
            self._free_at = max(self._free_at, now - _BURST_SECONDS) + count / rate
            return max(0.0, self._free_at - now)

    def _rate(self) -> int | None:
        if not self._timetable.windows:
            return self._timetable.plain
        return self._timetable.rate_at(clock.now().astimezone())
