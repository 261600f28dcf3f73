"""The old `add_data` and `add_jobs` files, read into entries; pure.

Their shapes: `channels:` and `sharing_entity:` hold tables numbered from 0, and jobs are numbered tables at the top (or
below `jobs:`). Several values in one field have blanks between them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from nephos.importers.outline import Node
from nephos.lib import errors

CHANNELS, SHARES, JOBS = "channels", "sharing_entity", "jobs"

_CHANNEL_KEYS = {"name", "ip", "country_code", "lang", "timezone"}
_SHARE_KEYS = {"email", "tags"}
_JOB_KEYS = {"name", "channel_name", "start_time", "duration", "repetition"}
_LONGEST = 500
_HOST_AND_PORT = re.compile(r"[^\s/@?#]+:\d{1,5}")
_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_MASK = re.compile(r"[01]{7}")


@dataclass(frozen=True, slots=True)
class Channel:
    """A source. What was mended or left out is in `notes`."""

    line: int
    name: str
    address: str
    country: str = ""
    language: str = ""
    zone: str = ""
    notes: list[tuple[int, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Share:
    """One person; an old entry with several addresses becomes several of these."""

    line: int
    email: str
    tags: list[str]


@dataclass(frozen=True, slots=True)
class Job:
    """A weekly recording."""

    line: int
    name: str
    channel: str
    start: str
    minutes: int
    weekdays: str  # 0 and 1, Monday first


@dataclass(frozen=True, slots=True)
class Refused:
    """An entry that cannot be read, and why."""

    line: int
    kind: str
    name: str
    reason: str


Entry = Channel | Share | Job | Refused


def read(top: Node) -> Iterator[Entry]:
    """All entries of a file, in its order."""
    for name, node in top.table.items():
        if name == CHANNELS:
            yield from _channels(node)
        elif name == SHARES:
            yield from _shares(node)
        elif name == JOBS:
            yield from _jobs(_numbered(node))
        elif not name.isdigit():
            yield Refused(node.line, "entry", name, "This part of the file is not known.")
    numbered = [(name, node) for name, node in top.table.items() if name.isdigit()]
    yield from _jobs(numbered)
    if top.kind == "list":
        yield from _jobs(_numbered(top))


def looks_like(top: Node) -> bool:
    """Whether a file is one of these."""
    if top.kind == "list":
        return any("channel_name" in item.table for item in top.items)
    if {CHANNELS, SHARES} & set(top.table):
        return True
    jobs = top.table.get(JOBS)
    entries = [node for name, node in top.table.items() if name.isdigit()]
    entries += [node for _, node in _numbered(jobs)] if jobs is not None else []
    return any("channel_name" in entry.table for entry in entries)


def _numbered(node: Node) -> list[tuple[str, Node]]:
    if node.kind == "list":
        return [(str(number), item) for number, item in enumerate(node.items)]
    return list(node.table.items())


def _channels(node: Node) -> Iterator[Entry]:
    for number, entry in _numbered(node):
        try:
            fields = _fields(entry, _CHANNEL_KEYS, needed=("name", "ip"))
            yield _channel(entry.line, fields)
        except errors.Invalid as error:
            yield Refused(entry.line, "channel", _name(entry, number), error.message)


def _channel(line: int, fields: dict[str, tuple[int, str]]) -> Channel:
    notes: list[tuple[int, str]] = []
    address = fields["ip"][1]
    if "://" not in address:
        if not _HOST_AND_PORT.fullmatch(address):
            raise errors.Invalid(f"The address {address[:60]!r} is not written as host:port.")
        address = f"udp://{address}"
    return Channel(
        line=line,
        name=fields["name"][1],
        address=address,
        country=_code(fields, "country_code", r"[A-Za-z]{2}", "a country of two letters", notes).upper(),
        language=_code(fields, "lang", r"[A-Za-z]{2,3}", "a language of two or three letters", notes).lower(),
        zone=_zone(fields, notes),
        notes=notes,
    )


def _code(fields: dict[str, tuple[int, str]], key: str, pattern: str, what: str, notes: list[tuple[int, str]]) -> str:
    line, text = fields.get(key, (0, ""))
    words = text.split()
    if len(words) > 1:
        notes.append((line, f"Of {key} {text[:40]!r} the first is kept: a channel has one."))
    if words and not re.fullmatch(pattern, words[0], re.ASCII):
        notes.append((line, f"{key} {words[0][:20]!r} is no {what.removeprefix('a ')}: left empty."))
        return ""
    return words[0] if words else ""


def _zone(fields: dict[str, tuple[int, str]], notes: list[tuple[int, str]]) -> str:
    """The old program never used the field as a zone, and its own file kept a language code there."""
    line, text = fields.get("timezone", (0, ""))
    if not text:
        return ""
    try:
        return ZoneInfo(text).key
    except (KeyError, ValueError, OSError):
        notes.append((line, f"timezone {text[:40]!r} is no time zone: left empty, so the station's counts."))
        return ""


def _shares(node: Node) -> Iterator[Entry]:
    for number, entry in _numbered(node):
        try:
            fields = _fields(entry, _SHARE_KEYS, needed=("email",))
        except errors.Invalid as error:
            yield Refused(entry.line, "share", _name(entry, number), error.message)
            continue
        tags = re.split(r"[\s,]+", fields.get("tags", (0, ""))[1])
        for email in re.split(r"[\s,;]+", fields["email"][1]):
            if email:
                yield Share(entry.line, email, [tag for tag in tags if tag])


def _jobs(numbered: list[tuple[str, Node]]) -> Iterator[Entry]:
    for number, entry in numbered:
        try:
            fields = _fields(entry, _JOB_KEYS, needed=("name", "channel_name", "start_time", "duration", "repetition"))
            yield _job(entry.line, {key: text for key, (_, text) in fields.items()})
        except errors.Invalid as error:
            yield Refused(entry.line, "job", _name(entry, number), error.message)


def _job(line: int, fields: dict[str, str]) -> Job:
    time = _TIME.fullmatch(fields["start_time"])
    if time is None:
        raise errors.Invalid(f"The start {fields['start_time'][:20]!r} is no time of day like 20:30.")
    duration = fields["duration"]
    if not (duration.isascii() and duration.isdigit() and int(duration[:6]) > 0 and len(duration) <= 6):
        raise errors.Invalid(f"The duration {duration[:20]!r} is no number of minutes.")
    mask = fields["repetition"]
    if not _MASK.fullmatch(mask):
        raise errors.Invalid(f"The repetition {mask[:20]!r} is not seven times 0 or 1, Monday first.")
    if "1" not in mask:
        raise errors.Invalid("The repetition 0000000 names no day: it would never record.")
    hour, minute = time.groups()
    return Job(line, fields["name"], fields["channel_name"], f"{int(hour):02}:{minute}", int(duration), mask)


def _fields(entry: Node, known: set[str], *, needed: tuple[str, ...]) -> dict[str, tuple[int, str]]:
    if entry.kind != "table":
        raise errors.Invalid("The entry is no table of fields.")
    unknown = sorted(set(entry.table) - known)
    if unknown:
        raise errors.Invalid(f"The field {unknown[0][:40]!r} is not known; there are {', '.join(sorted(known))}.")
    fields = {key: (node.line, _text(key, node)) for key, node in entry.table.items()}
    missing = [key for key in needed if not fields.get(key, (0, ""))[1]]
    if missing:
        raise errors.Invalid(f"The field {missing[0]} is missing or empty.")
    return fields


def _text(key: str, node: Node) -> str:
    """A field's text; `[ENG RUS]`, as the old template wrote several values, reads the same as `ENG RUS`."""
    if node.kind == "table" or any(item.kind != "text" for item in node.items):
        raise errors.Invalid(f"The field {key} is no text.")
    text = " ".join(item.text for item in node.items) if node.kind == "list" else node.text
    if len(text) > _LONGEST:
        raise errors.Invalid(f"The field {key} is longer than {_LONGEST} characters.")
    return text


def _name(entry: Node, number: str) -> str:
    for key in ("name", "email"):
        if entry.table.get(key) and entry.table[key].text:
            return entry.table[key].text[:120]
    return number[:20]
