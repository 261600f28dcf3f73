"""A caption and a track of captions; times count from the first picture of the mp4."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_JOIN = timedelta(milliseconds=100)


@dataclass(frozen=True, slots=True)
class Cue:
    """Lines of text from one moment to another."""

    start: timedelta
    end: timedelta
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


@dataclass(frozen=True, slots=True)
class Track:
    """All captions of one source: `tag` for file names (`cc1`, `ttx888`), `label` for people."""

    tag: str
    label: str
    language: str
    cues: tuple[Cue, ...]
    page: int = 0  # of teletext


def make(start: float, end: float, lines: Iterable[str]) -> Cue:
    """A cue from seconds, with its text made fit for files: no control characters, no empty lines."""
    clean = (" ".join(_CONTROL.sub(" ", line).split()) for line in lines)
    return Cue(
        start=timedelta(milliseconds=round(start * 1000)),
        end=timedelta(milliseconds=round(end * 1000)),
        lines=tuple(line for line in clean if line),
    )


def tidy(cues: Iterable[Cue]) -> tuple[Cue, ...]:
    """In order, without empty ones, those before the first picture cut off, and repeats that touch joined into one."""
    return tuple(_joined(sorted(filter(None, map(_clipped, cues)), key=lambda cue: (cue.start, cue.end))))


def _clipped(cue: Cue) -> Cue | None:
    if not cue.lines or cue.end <= max(cue.start, timedelta()):
        return None
    return cue if cue.start >= timedelta() else replace(cue, start=timedelta())


def _joined(cues: Iterable[Cue]) -> Iterator[Cue]:
    last: Cue | None = None
    for cue in cues:
        if last is not None and last.lines == cue.lines and cue.start - last.end <= _JOIN:
            last = replace(last, end=max(last.end, cue.end))
            continue
        if last is not None:
            yield last
        last = cue
    if last is not None:
        yield last


def clock(moment: timedelta, *, mark: str) -> str:
    """`00:01:02,345`, with the decimal mark that the format wants."""
    thousandths = round(moment / timedelta(milliseconds=1))
    seconds, rest = divmod(thousandths, 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{mark}{rest:03d}"
