"""A recording's time as a row of coloured bars: whole, with errors, missing; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from nephos.lib import clock

WIDTH = 1000
_BUCKETS = 500
_MOST_NOTICES = 20


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch of equal quality. `x` and `width` are parts of WIDTH; `at_seconds` is where it begins."""

    x: float
    width: float
    tone: str
    title: str
    at_seconds: float


@dataclass(frozen=True, slots=True)
class Notice:
    """A change of the stream that is no fault of the recording."""

    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Strip:
    """The whole row and what it says in words."""

    start: datetime
    end: datetime
    bars: tuple[Bar, ...]
    summary: str
    notices: tuple[Notice, ...] = ()


def draw(manifest: Mapping[str, Any]) -> Strip | None:
    """The strip of a manifest, None if the manifest does not tell its window."""
    try:
        start, end = clock.parse(manifest["from_at"]), clock.parse(manifest["to_at"])
        seconds = [(clock.parse(utc), int(size), int(errors)) for utc, _, size, errors in manifest.get("seconds", [])]
        gaps = [_gap(gap, start) for gap in manifest.get("gaps", [])]
        told = manifest.get("notices", [])[:_MOST_NOTICES]
        notices = tuple(Notice(clock.parse(one["at"]), str(one["text"])) for one in told)
    except (KeyError, TypeError, ValueError):
        return None
    length = (end - start).total_seconds()
    if length <= 0:
        return None
    tones = _tones(seconds, start, length)
    bars = [*_merged(tones, length), *(_gap_bar(*gap, length) for gap in gaps)]
    return Strip(start, end, tuple(bars), _summary(seconds, gaps), notices)


def _gap(gap: Mapping[str, Any], start: datetime) -> tuple[float, float, str]:
    begins = (clock.parse(gap["start"]) - start).total_seconds()
    return begins, float(gap["seconds"]), str(gap.get("cause", ""))


def _tones(seconds: Sequence[tuple[datetime, int, int]], start: datetime, length: float) -> list[str]:
    """One tone a bucket; the worst second of a bucket decides, so that one error in a week is seen."""
    count = max(1, min(_BUCKETS, round(length)))
    tones = [""] * count
    order = ("", "good", "warn")
    for moment, size, errors in seconds:
        place = int((moment - start).total_seconds() / length * count)
        if not 0 <= place < count or not size:
            continue
        tone = "warn" if errors else "good"
        tones[place] = max(tones[place], tone, key=order.index)
    return tones


def _merged(tones: Sequence[str], length: float) -> Iterator[Bar]:
    begin = 0
    for place in range(1, len(tones) + 1):
        if place < len(tones) and tones[place] == tones[begin]:
            continue
        if tones[begin]:
            yield _bar(begin / len(tones) * length, (place - begin) / len(tones) * length, tones[begin], length)
        begin = place


def _bar(begins: float, lasts: float, tone: str, length: float) -> Bar:
    words = {"good": "received", "warn": "received with continuity errors"}[tone]
    title = f"{words}, from {begins:.0f} s to {begins + lasts:.0f} s"
    return Bar(round(begins / length * WIDTH, 2), round(lasts / length * WIDTH, 2), tone, title, begins)


def _gap_bar(begins: float, lasts: float, cause: str, length: float) -> Bar:
    width = max(3.0, lasts / length * WIDTH)
    title = f"nothing for {lasts:.3g} s at {begins:.0f} s" + (f": {cause.replace('_', ' ')}" if cause else "")
    return Bar(round(min(begins / length * WIDTH, WIDTH - width), 2), round(width, 2), "bad", title, begins)


def _summary(seconds: Sequence[tuple[datetime, int, int]], gaps: Sequence[tuple[float, float, str]]) -> str:
    flawed = sum(1 for _, size, errors in seconds if size and errors)
    missing = sum(lasts for _, lasts, _ in gaps)
    parts = [f"{sum(1 for _, size, _ in seconds if size)} seconds received"]
    parts.append(f"{flawed} of them with continuity errors" if flawed else "none of them with continuity errors")
    parts.append(f"{len(gaps)} gaps of {missing:.3g} s in all" if gaps else "no gaps")
    return ", ".join(parts)
