"""XMLTV files read safely: a stream with limits, no entities, nothing fetched from anywhere; pure.

A document type may be named (most files do), but not carry definitions of its own: that is where bombs are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import BinaryIO
from xml.parsers import expat

from nephos.lib import errors

MOST_BYTES = 256 * 1024 * 1024
MOST_PROGRAMMES = 500_000
_MOST_TEXT = 500
_MOST_DEPTH = 32
_LONGEST = timedelta(days=2)
_CHUNK = 1 << 16
_TIME = re.compile(
    r"(\d{4})(\d{2})?(\d{2})?(\d{2})?(\d{2})?(\d{2})?\s*(?:([+-])(\d{2}):?(\d{2})|[A-Z]{1,5})?", re.ASCII
)


class BadGuide(errors.Invalid):
    """That is no XMLTV file."""


@dataclass(frozen=True, slots=True)
class Programme:
    """One programme; `channel` is the file's own id."""

    channel: str
    start: datetime
    end: datetime
    title: str
    subtitle: str = ""


@dataclass(slots=True)
class Guide:
    """What a file holds. `names` are the display names of each channel id; `skipped` counts what made no sense."""

    names: dict[str, list[str]] = field(default_factory=dict)
    programmes: list[Programme] = field(default_factory=list)
    skipped: int = 0


def read(stream: BinaryIO) -> Guide:
    """Read a whole file. Raises BadGuide."""
    reader = _Reader()
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _refuse_definitions
    parser.EntityDeclHandler = _refuse_entity
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.buffer_text = True
    taken = 0
    try:
        while chunk := stream.read(_CHUNK):
            taken += len(chunk)
            if taken > MOST_BYTES:
                raise BadGuide(f"The guide is larger than {MOST_BYTES >> 20} MiB.")
            parser.Parse(chunk, False)  # noqa: FBT003 - expat's own signature
        parser.Parse(b"", True)  # noqa: FBT003
    except (expat.ExpatError, LookupError, ValueError) as error:  # the last two: an encoding that is none
        raise BadGuide(f"The guide cannot be read: {error!s:.200}.") from error
    if not reader.is_guide:
        raise BadGuide("That is no XMLTV file: it does not begin with <tv>.")
    return reader.finished()


def moment(text: str) -> datetime:
    """`20261122200000 +0100`; without an offset it is UTC. Raises ValueError."""
    match = _TIME.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text[:30]!r} is no time")
    year, month, day, hour, minute, second = (int(part) if part else None for part in match.groups()[:6])
    zone = UTC
    if match[7]:
        offset = timedelta(hours=int(match[8]), minutes=int(match[9]))
        zone = timezone(-offset if match[7] == "-" else offset)
    whole = datetime(year or 1, month or 1, day or 1, hour or 0, minute or 0, second or 0, tzinfo=zone)
    return whole.astimezone(UTC)


def _refuse_definitions(_name: str, _system: str | None, _public: str | None, has_internal_subset: int) -> None:
    if has_internal_subset:
        raise BadGuide("The guide defines entities of its own; such files are not read.")


def _refuse_entity(*_: object) -> None:
    raise BadGuide("The guide defines entities of its own; such files are not read.")


@dataclass(slots=True)
class _Draft:
    channel: str
    start: datetime
    end: datetime | None
    title: str = ""
    subtitle: str = ""


class _Reader:
    """Takes what the parser sees."""

    def __init__(self) -> None:
        self.is_guide = False
        self._guide = Guide()
        self._drafts: list[_Draft] = []
        self._open: list[str] = []
        self._channel = ""
        self._draft: _Draft | None = None
        self._text: list[str] | None = None

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._open.append(name)
        if len(self._open) > _MOST_DEPTH:
            raise BadGuide("The guide is nested too deeply.")
        if len(self._open) == 1:
            self.is_guide = name == "tv"
        elif len(self._open) == 2 and name == "channel":
            self._channel = attributes.get("id", "")[:_MOST_TEXT]
            self._guide.names.setdefault(self._channel, [])
        elif len(self._open) == 2 and name == "programme":
            self._begin(attributes)
        elif len(self._open) == 3 and name in ("display-name", "title", "sub-title"):
            self._text = []

    def text(self, text: str) -> None:
        if self._text is not None and sum(map(len, self._text)) < _MOST_TEXT:
            self._text.append(text)

    def end(self, name: str) -> None:
        words, self._text = " ".join("".join(self._text or []).split())[:_MOST_TEXT], None
        self._open.pop()
        if name == "display-name" and words and self._open == ["tv", "channel"]:
            self._guide.names[self._channel].append(words)
        elif self._draft is not None and self._open == ["tv", "programme"] and words:
            if name == "title":  # the first one: the others are translations
                self._draft.title = self._draft.title or words
            elif name == "sub-title":
                self._draft.subtitle = self._draft.subtitle or words
        elif name == "programme" and self._open == ["tv"]:
            self._keep()

    def finished(self) -> Guide:
        """The guide; a programme without an end ends where the next one of its channel starts."""
        self._drafts.sort(key=lambda draft: (draft.channel, draft.start))
        for place, draft in enumerate(self._drafts):
            end = draft.end or self._start_behind(place)
            if end is None or not timedelta(0) < end - draft.start <= _LONGEST:
                self._guide.skipped += 1
            else:
                found = Programme(draft.channel, draft.start, end, draft.title, draft.subtitle)
                self._guide.programmes.append(found)
        return self._guide

    def _start_behind(self, place: int) -> datetime | None:
        if place + 1 == len(self._drafts) or self._drafts[place + 1].channel != self._drafts[place].channel:
            return None
        return self._drafts[place + 1].start

    def _begin(self, attributes: dict[str, str]) -> None:
        try:
            stop = attributes.get("stop")
            self._draft = _Draft(
                channel=attributes["channel"][:_MOST_TEXT],
                start=moment(attributes["start"]),
                end=moment(stop) if stop else None,
            )
        except (KeyError, ValueError, OverflowError):
            self._draft = None
            self._guide.skipped += 1

    def _keep(self) -> None:
        draft, self._draft = self._draft, None
        if draft is None:
            return
        if not draft.title:
            self._guide.skipped += 1
        else:
            self._drafts.append(draft)
        if len(self._drafts) > MOST_PROGRAMMES:
            raise BadGuide(f"The guide holds more than {MOST_PROGRAMMES:,} programmes.")
