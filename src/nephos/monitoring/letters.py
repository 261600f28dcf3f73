"""An event as a letter: what, why, when it is tried again, what to do. Plain text; pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from nephos.lib import clock

_LONGEST_TITLE = 150
_FOOT = "-- \n"
_WIDEST = 4000  # of one fact: a name or a message of some program may be of any length


@dataclass(frozen=True, slots=True)
class Letter:
    """A title of one line and the text below it."""

    title: str
    body: str


@dataclass(frozen=True, slots=True)
class Happening:
    """What a letter is about."""

    kind: str
    at: datetime
    text: str
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Sender:
    """The station that writes: its name, its zone and where its page is."""

    station: str
    zone: str
    page: str


def write(happening: Happening, sender: Sender) -> Letter:
    """The letter for an event of any kind."""
    compose = _COMPOSERS.get(happening.kind, _plain)
    title, body = compose(happening, sender)
    foot = f"{_FOOT}{line(sender.station)}, a Nephos station\n{line(sender.page)}\n"
    return Letter(title=line(f"[{sender.station}] {title}")[:_LONGEST_TITLE], body=f"{body.rstrip()}\n\n{foot}")


def gather(letters: Sequence[Letter], *, station: str) -> Letter:
    """Several letters as one, when so many come that one by one they would bury each other."""
    titles = [one.title.removeprefix(f"[{station}] ") for one in letters]
    contents = "\n".join(f"{number:>3}. {title}" for number, title in enumerate(titles, start=1))
    bodies = [
        f"{number}. {title}\n\n{one.body.partition(_FOOT)[0].rstrip()}"
        for number, (title, one) in enumerate(zip(titles, letters, strict=True), start=1)
    ]
    foot = letters[-1].body.partition(_FOOT)[2]
    body = "\n\n\n".join([f"Much happens at once, so this comes together:\n\n{contents}", *bodies])
    return Letter(
        title=line(f"[{station}] {len(letters)} notices: {titles[0]} ...")[:_LONGEST_TITLE],
        body=f"{body}\n\n{_FOOT}{foot}",
    )


def line(value: str) -> str:
    """One line whatever a channel or a file is called: a name must not be able to write headers."""
    return " ".join("".join(c if c.isprintable() else " " for c in value).split())


def moment(stamp: datetime | str, zone: str) -> str:
    """`Sunday 22 November 2026 20:30:05 Europe/Madrid (19:30:05 UTC)`."""
    at = clock.parse(stamp) if isinstance(stamp, str) else stamp
    utc = at.astimezone(UTC)
    if not zone or zone == "UTC":
        return f"{_day(utc)} {utc:%H:%M:%S} UTC"
    local = at.astimezone(ZoneInfo(zone))
    return f"{_day(local)} {local:%H:%M:%S} {zone} ({utc:%H:%M:%S} UTC)"


_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = ["", "January", "February", "March", "April", "May", "June", "July"]
_MONTHS += ["August", "September", "October", "November", "December"]


def _day(at: datetime) -> str:
    return f"{_DAYS[at.weekday()]} {at.day} {_MONTHS[at.month]} {at.year}"


def _rows(*pairs: tuple[str, object]) -> str:
    shown = [(name, line(str(value))[:_WIDEST]) for name, value in pairs if value not in ("", None)]
    return "\n".join(f"{name + ':':<14} {value}" for name, value in shown)


def _opened(happening: Happening, sender: Sender) -> tuple[str, str]:
    facts = happening.facts
    body = _rows(
        ("What", facts.get("what", "")),
        ("Why", facts.get("reason", "")),
        ("Since", moment(happening.at, sender.zone)),
        ("Tried again", facts.get("retry", "")),
        ("What to do", facts.get("hint", "")),
    )
    note = "You are told again when it is over, not before."
    return str(facts.get("what", "")).rstrip("."), f"{body}\n\n{note}"


def _closed(happening: Happening, sender: Sender) -> tuple[str, str]:
    facts = happening.facts
    body = _rows(
        ("Over", facts.get("what", "")),
        ("Since", moment(happening.at, sender.zone)),
        ("It lasted", facts.get("lasted", "")),
        ("It began", moment(str(facts["opened_at"]), sender.zone)),
    )
    return f"Over: {str(facts.get('what', '')).rstrip('.')}", f"{body}\n\nThere is nothing to do."


def _missed(happening: Happening, sender: Sender) -> tuple[str, str]:
    parts = []
    for one in happening.facts.get("bookings", []):
        starts_at = moment(str(one["starts_at"]), sender.zone)
        parts.append(_rows(("Missed", one["title"]), ("It was due", starts_at), ("Why", one["reason"])))
    number = str(happening.facts.get("number", "Bookings"))
    advice = _rows(
        ("Tried again", "No: that time has passed. Later airings of the same schedules are recorded as planned."),
        ("What to do", "Keep the station running, for example with the systemd unit that comes with it."),
    )
    blocks = "\n\n".join([*parts, advice])
    return f"{number} missed", blocks


def _updated(happening: Happening, sender: Sender) -> tuple[str, str]:
    lines = [
        line(f"line {one['line']}: {one['outcome']} {one['kind']} {one['name']} {one['text']}")
        for one in happening.facts.get("lines", [])
    ]
    head = _rows(("What", happening.text), ("When", moment(happening.at, sender.zone)))
    return happening.text.rstrip("."), "\n".join([head, "", *lines])


def _digest(happening: Happening, _sender: Sender) -> tuple[str, str]:
    return f"The day {happening.facts.get('day', '')}", str(happening.facts.get("body", ""))


def _plain(happening: Happening, sender: Sender) -> tuple[str, str]:
    facts = happening.facts
    body = _rows(
        ("What", happening.text), ("When", moment(happening.at, sender.zone)), ("What to do", facts.get("hint", ""))
    )
    return happening.text.rstrip("."), body


_COMPOSERS: dict[str, Callable[[Happening, Sender], tuple[str, str]]] = {
    "problem.opened": _opened,
    "problem.closed": _closed,
    "bookings.missed": _missed,
    "digest.made": _digest,
    "update.taken": _updated,
}
