"""Red Hen text: a header, one line a caption in UTC, a closing line; fields between bars."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from nephos.processing.captions import cue

_UUID_EPOCH = datetime(1582, 10, 15, tzinfo=UTC)
_TEXT_TAG = "CC1"  # research tools expect it whatever the captions came from
_PLACEHOLDER_TAG = "SEG_00"


@dataclass(frozen=True, slots=True)
class Heading:
    """What stands above the captions. `starts_at` is the moment of the first picture."""

    stem: str
    starts_at: datetime
    length: timedelta
    width: int
    height: int
    source: str = ""
    title: str = ""
    country: str = ""
    zone: str = ""
    collection: str = "Nephos"


def write(heading: Heading, track: cue.Track | None) -> str:
    """The whole file; without captions it holds one line that spans the show and says so."""
    return "".join(f"{line}\n" for line in _lines(heading, track))


def _lines(heading: Heading, track: cue.Track | None) -> Iterator[str]:
    start, end = heading.starts_at, heading.starts_at + heading.length
    stem = _field(heading.stem)
    size = f"{heading.width}x{heading.height}"
    yield f"TOP|{_second(start)}|{stem}"
    yield f"COL|{_field(heading.collection)}"
    yield f"UID|{_identity(heading)}"
    yield f"DUR|{_length(heading.length)}"
    yield f"VID|{size}|{size}"
    yield f"SRC|{_field(' '.join(filter(None, [heading.source, heading.country])))}"
    yield f"TTL|{_field(heading.title)}"
    yield "CMT|"
    if track is not None and track.language:
        yield f"LAN|{_field(track.language.upper())}"
    if track is not None and track.page:
        yield f"TTP|{track.page}"
    yield _local(heading)
    if track is None or not track.cues:
        yield f"{_moment(start)}|{_moment(end)}|{_PLACEHOLDER_TAG}|No captions"
    for each in track.cues if track else ():
        yield f"{_moment(start + each.start)}|{_moment(start + each.end)}|{_TEXT_TAG}|{_field(' '.join(each.lines))}"
    yield f"END|{_second(end)}|{stem}"


def _local(heading: Heading) -> str:
    """The last line of the header: date and time where it was broadcast."""
    local = heading.starts_at.astimezone(ZoneInfo(heading.zone or "UTC"))
    return f"LBT|{local:%Y-%m-%d %H:%M:%S}|{local.tzname()}|{heading.zone or 'UTC'}"


def _identity(heading: Heading) -> uuid.UUID:
    """A UUID of version 1 that is the same each time the file is made: of the start, and of the stem as the node."""
    ticks = (heading.starts_at - _UUID_EPOCH) // timedelta(microseconds=1) * 10
    digest = hashlib.sha256(heading.stem.encode()).digest()
    fields = (ticks & 0xFFFFFFFF, ticks >> 32 & 0xFFFF, ticks >> 48 & 0x0FFF, digest[6] & 0x3F, digest[7])
    node = int.from_bytes(bytes([digest[0] | 1]) + digest[1:6], "big")  # the multicast bit: no real network card
    return uuid.UUID(fields=(*fields, node), version=1)


def _field(text: str) -> str:
    """One field: a bar or a line break inside it would start the next one."""
    return " ".join(text.replace("|", "/").replace("\x7f", "").split())


def _second(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y%m%d%H%M%S}"


def _moment(moment: datetime) -> str:
    moment += timedelta(microseconds=500)
    return f"{_second(moment)}.{moment.microsecond // 1000:03d}"


def _length(length: timedelta) -> str:
    hundredths = round(length / timedelta(milliseconds=10))
    seconds = hundredths // 100
    return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{hundredths % 100:02d}"
