"""Which bytes of which segments belong to a window, and what their journals tell about it; pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from nephos.recording import gaps, segments

_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Source:
    """One segment as it was found on disk; `written_at` is the last change of the file."""

    segment: segments.Segment
    journal: segments.Journal
    written_at: datetime


@dataclass(frozen=True, slots=True)
class Step:
    """The wall clock was set at this time of the window: it said `before`, and then `after`."""

    at: datetime
    before: datetime
    after: datetime


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes of one segment."""

    path: Path
    start: int
    length: int


@dataclass(frozen=True, slots=True)
class Strip:
    """One second of the window and where its bytes are in the joined file."""

    second: segments.Second
    offset: int


@dataclass(frozen=True, slots=True)
class Cut:
    """A window, cut out of the segments."""

    parts: tuple[Part, ...]
    strip: tuple[Strip, ...]
    evidence: gaps.Evidence
    steps: tuple[Step, ...] = ()  # of the wall clock, meanwhile

    @property
    def bytes(self) -> int:
        return sum(part.length for part in self.parts)

    @property
    def seconds(self) -> list[segments.Second]:
        return [one.second for one in self.strip]


def cut(sources: Sequence[Source], window: gaps.Span) -> Cut:
    """Take the bytes from the window's first second to its last, at whole packets.

    Two windows that meet share no byte and lose none between them.
    """
    parts: list[Part] = []
    strip: list[Strip] = []
    tails: list[gaps.Span] = []
    base = 0
    for source in _received(sources):
        start, end = _range(source, window)
        if end > start:
            parts.append(Part(source.segment.path, start, end - start))
        for second in source.journal.seconds:
            if window.start <= second.utc < window.end:
                strip.append(Strip(second, base + min(max(0, second.offset - start), max(0, end - start))))
        tails += _tails(source)
        base += max(0, end - start)
    return Cut(tuple(parts), tuple(strip), _evidence(sources, tails, window))


def _received(sources: Sequence[Source]) -> list[Source]:
    """In the order in which they were received."""
    return sorted(sources, key=lambda one: (one.segment.era, one.segment.start))


def touches(source: Source, window: gaps.Span) -> bool:
    """Whether the recorder listened in this window, as far as this segment knows."""
    if any(window.start <= second.utc < window.end for second in source.journal.seconds):
        return True
    return any(tail.start < window.end and tail.end > window.start for tail in _tails(source))


def heard(source: Source) -> list[gaps.Span]:
    """The times of which this segment holds bytes, to the second."""
    spans = [gaps.Span(one.utc, one.utc + _SECOND) for one in source.journal.seconds if one.bytes]
    return [*spans, *_tails(source)]


def _evidence(sources: Sequence[Source], tails: Sequence[gaps.Span], window: gaps.Span) -> gaps.Evidence:
    seconds = [one for source in sources for one in source.journal.seconds]
    return gaps.Evidence(
        seconds=sorted(
            (one for one in seconds if window.start - _SECOND < one.utc < window.end), key=lambda one: one.utc
        ),
        breaks=_breaks(sources, window),
        tails=list(tails),
    )


def _breaks(sources: Sequence[Source], window: gaps.Span) -> list[gaps.Break]:
    """The restarts, told by what was written before and after each: a restart is noted up to a second late."""
    found: list[gaps.Break] = []
    waiting: list[tuple[segments.Resume, datetime, datetime]] = []
    last = down_from = datetime.min.replace(tzinfo=UTC)
    for entry in _story(sources):
        if isinstance(entry, segments.Resume):
            down_from = max(down_from, entry.last_write)
            waiting.append((entry, last, down_from))
        elif isinstance(entry, segments.Second):
            down_from = max(down_from, entry.utc + _SECOND)
            came = gaps.arrival(entry)
            if came is not None:
                found += [_break(*one, end=came.start) for one in waiting]
                waiting, last = [], max(last, came.end)
        else:
            found += [_break(*one, end=entry.start) for one in waiting]
            waiting, last = [], max(last, entry.end)
    return found + [_break(*one, end=window.end) for one in waiting]


def _break(resume: segments.Resume, last: datetime, down_from: datetime, *, end: datetime) -> gaps.Break:
    return gaps.Break(start=last, end=end, down_from=down_from, up_at=min(resume.at, end))


def _story(sources: Sequence[Source]) -> Iterator[segments.Second | segments.Resume | gaps.Span]:
    """Lines, restarts and tails in the order in which they were written."""
    for source in _received(sources):
        tails = _tails(source)
        place = 0
        for resume in source.journal.resumes:
            yield from source.journal.seconds[place : resume.lines_before]
            place = resume.lines_before
            yield from (tail for tail in tails if tail.end == resume.last_write)
            yield resume
        yield from source.journal.seconds[place:]
        yield from (tail for tail in tails if tail.end == source.written_at)


def _range(source: Source, window: gaps.Span) -> tuple[int, int]:
    """First and last byte, at whole packets; a tail without a line goes with the line before it."""
    seconds, resumes = source.journal.seconds, source.journal.resumes
    size = source.segment.bytes
    if not seconds and not resumes:
        inside = any(tail.start < window.end and tail.end > window.start for tail in _tails(source))
        return (0, size) if inside else (0, 0)
    starts = [one.offset + one.bytes for one in seconds if one.utc < window.start]
    starts += [one.offset for one in resumes if one.last_write < window.start]
    ends = [one.offset for one in seconds if one.utc >= window.end]
    ends += [one.offset for one in resumes if one.at >= window.end]
    # The line of the window's last second ends it: what follows without a line came later.
    ends += [one.offset + one.bytes for one in seconds if one.utc < window.end <= one.utc + _SECOND]
    start, end = _whole(max(starts, default=0)), min(_whole(min(ends, default=size)), size)
    # A tail that was written long before the window, by a recorder that was killed, is no part of it.
    if source.segment.start >= window.end or not touches(source, window):
        return 0, 0
    return start, max(start, end)


def _whole(offset: int) -> int:
    return -(-offset // segments.PACKET_BYTES) * segments.PACKET_BYTES


def _tails(source: Source) -> list[gaps.Span]:
    """Bytes behind the last line before a restart, or before the end: nothing tells about them but the file's time."""
    resumes = source.journal.resumes
    marks = [(resume.offset, resume.last_write) for resume in resumes]
    return list(_tail_spans(source, [*marks, (source.segment.bytes, source.written_at)]))


def _tail_spans(source: Source, marks: Sequence[tuple[int, datetime]]) -> Iterator[gaps.Span]:
    for offset, written_at in marks:
        before = [one for one in source.journal.seconds if one.offset + one.bytes <= offset]
        restarts = [one for one in source.journal.resumes if one.offset < offset]
        known = max([0, *(one.offset + one.bytes for one in before), *(one.offset for one in restarts)])
        # A recorder that was killed in its first second began to write when it said that it was back.
        begun = [*(one.utc + _SECOND for one in before), *(one.at for one in restarts)]
        since = max(begun, default=source.segment.start)
        if offset - known >= segments.PACKET_BYTES and written_at > since:
            yield gaps.Span(since, written_at)
