"""Bookings as a calendar (RFC 5545): one event each, in UTC, lines folded at 75 bytes; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from nephos.lib import clock

TYPE = "text/calendar"
_FOLD = 75


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One booking. `uid` is the same for ever, so that a calendar that reads again changes its entry."""

    uid: str
    start: datetime
    end: datetime
    summary: str
    location: str
    description: str
    cancelled: bool = False


def calendar(events: Iterable[Event], *, name: str, now: datetime) -> str:
    """The whole document."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Nephos//Bookings//EN", "CALSCALE:GREGORIAN", "METHOD:PUBLISH"]
    lines += [f"NAME:{_text(name)}", f"X-WR-CALNAME:{_text(name)}", "REFRESH-INTERVAL;VALUE=DURATION:PT1H"]
    for event in events:
        lines += _event(event, now)
    lines.append("END:VCALENDAR")
    return "".join(f"{part}\r\n" for line in lines for part in _folded(line))


def _event(event: Event, now: datetime) -> Iterator[str]:
    yield "BEGIN:VEVENT"
    yield f"UID:{_text(event.uid)}"
    yield f"DTSTAMP:{clock.compact(now)}"
    yield f"DTSTART:{clock.compact(event.start)}"
    yield f"DTEND:{clock.compact(event.end)}"
    yield f"SUMMARY:{_text(event.summary)}"
    yield f"LOCATION:{_text(event.location)}"
    yield f"DESCRIPTION:{_text(event.description)}"
    yield f"STATUS:{'CANCELLED' if event.cancelled else 'CONFIRMED'}"
    yield "TRANSP:TRANSPARENT"
    yield "END:VEVENT"


def _text(value: str) -> str:
    """A TEXT value: what has a meaning is escaped, control characters are gone."""
    clean = "".join(char for char in value.replace("\r\n", "\n") if char == "\n" or char.isprintable())
    return clean.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def _folded(line: str) -> Iterator[str]:
    """Pieces of at most 75 bytes that cut no character; all but the first begin with a space."""
    piece, size = "", 0
    for char in line:
        length = len(char.encode())
        if size + length > _FOLD:
            yield piece
            piece, size = " ", 1
        piece, size = piece + char, size + length
    yield piece
