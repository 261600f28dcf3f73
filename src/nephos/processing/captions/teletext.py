"""DVB teletext subtitles by ffmpeg's libzvbi.

Three traps shape this. In `text` mode the clearing of a page is dropped, so ends are lost: `ass` mode with
`-fix_sub_duration` keeps them. The ASS writer stops at ten hours, and broadcast clocks run to 26: WebVTT does not stop.
Without `-copyts` all times are moved to the first caption.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from nephos.processing import errors, ffmpeg, media, tables, timeline, transport
from nephos.processing.captions import cue

_WRAP_SECONDS = transport.WRAP / transport.CLOCK_PER_SECOND
_LEAD_SECONDS = 100_000.0  # more than the clock's whole circle: WebVTT knows no time before zero
_LONGEST_SECONDS = 30.0  # a page whose clearing was lost does not stay for ever
_TIMES = re.compile(r"(?:(\d+):)?(\d\d):(\d\d\.\d+) --> (?:(\d+):)?(\d\d):(\d\d\.\d+)")
Event = tuple[float, float, list[str]]  # start, end, lines
_HARD_OF_HEARING = " for the hard of hearing"


def tracks(path: Path, facts: media.Media, *, limit: timedelta) -> list[cue.Track]:
    """One track for each announced page that holds text. Raises ToolFailed, ProgramMissing or TimedOut."""
    found = []
    for stream in facts.streams:
        for page in {page.page: page for page in stream.pages}.values():
            reader = _Reader(path=path, facts=facts, pid=stream.pid, page=page.page, limit=limit)
            cues = cue.tidy(reader.cues())
            if cues:
                found.append(_track(page, cues))
    return found


def _track(page: tables.TeletextPage, cues: tuple[cue.Cue, ...]) -> cue.Track:
    label = f"Teletext {page.page}" + (_HARD_OF_HEARING if page.hard_of_hearing else "")
    return cue.Track(tag=f"ttx{page.page}", label=label, language=page.language, cues=cues, page=page.page)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    """One page of one stream of a file."""

    path: Path
    facts: media.Media
    pid: int
    page: int
    limit: timedelta

    def cues(self) -> Iterator[cue.Cue]:
        """Each part of the file in which the clock runs on is read for itself."""
        spans = self.facts.spans
        for span, following in zip(spans, (*spans[1:], None), strict=True):
            begin = 0 if span is spans[0] else span.offset
            source = ffmpeg.part_url(self.path, start=begin, end=following.offset if following else None)
            events = list(parse(self._decode(source, "-fix_sub_duration"), span))
            if following is None:
                events += self._unfinished(span, events)
            end = following.seconds if following else self.facts.seconds
            for first, last, lines in events:
                yield cue.make(first, min(last, first + _LONGEST_SECONDS, end), lines)

    def _unfinished(self, span: timeline.Span, events: list[Event]) -> Iterator[Event]:
        """The page that is still shown at the end: ffmpeg waits for its clearing and then forgets it."""
        share = (_LONGEST_SECONDS + 10) / max(self.facts.seconds, 1.0)
        begin = max(span.offset, round(self.facts.size_bytes * (1 - share)))
        last = max((first for first, _, _ in events), default=span.seconds - 1)
        for first, _, lines in parse(self._decode(ffmpeg.part_url(self.path, start=begin)), span):
            if first > last + 0.001:
                yield first, first + _LONGEST_SECONDS, lines

    def _decode(self, source: str, *options: str) -> str:
        arguments = ["-copyts", *options, "-txt_format", "ass", "-txt_page", str(self.page), "-i", source]
        arguments += ["-map", f"0:i:{self.pid}", "-c:s", "webvtt", "-output_ts_offset", str(_LEAD_SECONDS)]
        ended = ffmpeg.run([*arguments, "-f", "webvtt", "-"], folder=self.path.parent, limit=self.limit)
        if ended.code != 0 and not ended.stdout.startswith(b"WEBVTT"):
            raise errors.ToolFailed(f"ffmpeg could not read the teletext of page {self.page}: {ended.complaint}.")
        return ended.stdout.decode(errors="replace")


def parse(written: str, span: timeline.Span) -> Iterator[Event]:
    """Start, end and lines of what ffmpeg wrote, on the time line of the mp4."""
    base = span.stamp / transport.CLOCK_PER_SECOND + _LEAD_SECONDS
    times: tuple[float, float] | None = None
    lines: list[str] = []
    for line in written.splitlines():
        match = _TIMES.match(line)
        if match is None:
            lines.append(line.replace(r"\h", " "))
            continue
        if times is not None:
            yield (*times, lines)
        start, end = _seconds(*match.groups()[:3]), _seconds(*match.groups()[3:])
        at = (start - base + _WRAP_SECONDS / 2) % _WRAP_SECONDS - _WRAP_SECONDS / 2 + span.seconds
        times, lines = (at, at + end - start), []
    if times is not None:
        yield (*times, lines)


def _seconds(hours: str | None, minutes: str, seconds: str) -> float:
    return int(hours or 0) * 3600 + int(minutes) * 60 + float(seconds)
