"""Segments on disk and the journal beside each: names, and reading them back. The writer is `writer.py`.

`recordings/<channel>/.segments/20261122T191620Z.ts` holds whole packets from that second on; `.jsonl` beside it has a
line for each second. Readers get along with what a kill or a power cut leaves: a torn packet, a torn line. After a
step of the wall clock `-N` follows the second, the number of the era (see `eras`): no name is ever used again.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from nephos.lib import clock

FOLDER = ".segments"
PACKET_BYTES = 188
_NAME = re.compile(r"([0-9]{8}T[0-9]{6}Z)(?:-([1-9][0-9]{0,8}))?", re.ASCII)
_LONGEST_LINE = 4096
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Second:
    """One second of one segment. A second in which the recorder stopped and started again has more than one."""

    utc: datetime  # its start
    mono: float  # the monotonic clock at that start; means nothing after a reboot
    offset: int  # where its bytes start in the segment
    bytes: int = 0
    datagrams: int = 0
    packets: int = 0
    cc: int = 0
    missing: int = 0
    sync: int = 0
    scrambled: int = 0
    null: int = 0
    tei: int = 0
    rtp_lost: int = 0
    drops: int = 0
    unwritten: int = 0  # bytes that came and for which there was no space or no time
    first: float | None = None  # seconds after `utc` of the first and last arrival
    last: float | None = None
    pcr: int | None = None
    jumps: int = 0  # of the programme's clock, by more than a second
    wraps: int = 0  # of that clock, after 26.5 hours: nothing is wrong
    maps: int = 0  # how often the programme map became another
    bookings: tuple[int, ...] = ()  # whose windows were open


@dataclass(frozen=True, slots=True)
class Resume:
    """The receiver started (again) here; the bytes before were last written at `last_write`."""

    at: datetime
    offset: int
    last_write: datetime
    lines_before: int = field(default=0, compare=False)  # seconds that stand before it in its journal


@dataclass(frozen=True, slots=True)
class Journal:
    """All that is known about one segment, in the order it was written."""

    seconds: tuple[Second, ...] = ()
    resumes: tuple[Resume, ...] = ()
    torn_lines: int = 0


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment file; `bytes` counts whole packets only, `written_at` is the last change of the file."""

    path: Path
    start: datetime
    bytes: int
    era: int = 0
    written_at: datetime = _NEVER

    @property
    def journal(self) -> Path:
        return journal_path(self.path)


def folder(recordings: Path, slug: str) -> Path:
    """Where the segments of a channel lie."""
    return recordings / slug / FOLDER


def slot(second: int, segment_seconds: int) -> int:
    """The start of the segment that a second belongs to: segments are aligned to UTC, not to who asked when."""
    return second - second % segment_seconds


def name(start: int, era: int = 0) -> str:
    """File name of the segment that starts at this second of UTC."""
    return f"{clock.compact(datetime.fromtimestamp(start, UTC))}{f'-{era}' if era else ''}.ts"


def start_of(path: Path) -> datetime | None:
    """The start that a file name tells, None if it is no segment's."""
    found = _NAME.fullmatch(path.stem)
    if path.suffix != ".ts" or not found:
        return None
    try:
        return datetime.strptime(found[1], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None


def era_of(path: Path) -> int:
    """The era that a segment's name tells."""
    found = _NAME.fullmatch(path.stem)
    return int(found[2] or 0) if found else 0


def journal_path(segment: Path) -> Path:
    """The journal beside a segment."""
    return segment.with_suffix(".jsonl")


def list_segments(place: Path, *, after: datetime | None = None, before: datetime | None = None) -> list[Segment]:
    """The segments in a folder in the order in which they were received; nothing if there is no folder.

    Those that start between two moments, by what the clock said then.
    """
    # A rolling buffer of a day is 17,000 names: those out of the question are told by their text alone.
    first = clock.compact(after) if after else ""
    last = clock.compact(before) if before else "~"
    try:
        near = [one for one in os.listdir(place) if first <= one[:16] <= last]  # noqa: PTH208 - a tenth of the time
    except FileNotFoundError:
        return []
    found = [(era_of(place / one), start, place / one) for one in near if (start := start_of(place / one)) is not None]
    segments = []
    for era, start, path in sorted(found):
        try:
            found_at = path.stat()
        except FileNotFoundError:  # removed meanwhile
            continue
        size, written_at = found_at.st_size, datetime.fromtimestamp(found_at.st_mtime, UTC)
        segments.append(Segment(path, start, size - size % PACKET_BYTES, era=era, written_at=written_at))
    return segments


def read_journal(path: Path) -> Journal:
    """The journal of a segment, empty if there is none. Lines that make no sense are counted and passed over."""
    seconds: list[Second] = []
    resumes: list[Resume] = []
    torn = 0
    for line in _lines(path):
        entry = _entry(line)
        if isinstance(entry, Second):
            seconds.append(entry)
        elif isinstance(entry, Resume):
            resumes.append(replace(entry, lines_before=len(seconds)))
        else:
            torn += 1
    return Journal(seconds=tuple(seconds), resumes=tuple(resumes), torn_lines=torn)


def second_line(second: Second) -> bytes:
    """A line of the journal."""
    entry = {key: getattr(second, key) for key in _FIELDS} | {"utc": clock.stamp(second.utc)}
    return _line(entry | {key: value for key in _SELDOM if (value := getattr(second, key))})


def resume_line(resume: Resume) -> bytes:
    """A line of the journal."""
    return _line(
        {"resume": clock.stamp(resume.at), "offset": resume.offset, "last_write": clock.stamp(resume.last_write)}
    )


def _line(entry: dict[str, Any]) -> bytes:
    return msgspec.json.encode(entry) + b"\n"  # a hundred channels write a hundred lines a second


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as stream:
            while line := stream.readline(_LONGEST_LINE):
                yield line
    except FileNotFoundError:
        return


def read_line(line: bytes) -> Second | Resume | None:
    """One line of a journal, None if it makes no sense."""
    return _entry(line)


def _entry(line: bytes) -> Second | Resume | None:
    try:
        raw = json.loads(line)
        if not isinstance(raw, Mapping):
            return None
        if "resume" in raw:
            return Resume(
                at=clock.parse(raw["resume"]), offset=int(raw["offset"]), last_write=clock.parse(raw["last_write"])
            )
        return _second(raw)
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError):
        return None


_SELDOM = ("jumps", "wraps", "maps", "bookings")  # written only when there is something to say
_FIELDS = tuple(field.name for field in fields(Second) if field.name not in _SELDOM)
_COUNTERS = (
    *("jumps", "wraps", "maps"),
    *("offset", "bytes", "datagrams", "packets", "cc", "missing", "sync"),
    *("scrambled", "null", "tei", "rtp_lost", "drops", "unwritten"),
)


def _second(raw: Mapping[str, Any]) -> Second:
    counters = {key: int(raw.get(key, 0)) for key in _COUNTERS}
    if min(counters.values()) < 0:
        raise ValueError("a counter is below zero")
    return Second(
        utc=clock.parse(raw["utc"]),
        mono=float(raw["mono"]),
        first=_number(raw.get("first")),
        last=_number(raw.get("last")),
        pcr=None if raw.get("pcr") is None else int(raw["pcr"]),
        bookings=tuple(int(one) for one in raw.get("bookings", ())),
        **counters,
    )


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
