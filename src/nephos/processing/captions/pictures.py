"""CEA-608 captions of a transport stream: from its pictures, in order of presentation, to tracks."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from pathlib import Path

from nephos.processing import media, tables, transport
from nephos.processing import timeline as timelines
from nephos.processing.captions import cue, line21, userdata

_HOLE_SECONDS = 2.0  # after a longer silence nobody knows what is on the screen
_DEEPEST_REORDER = 64

Pairs = list[tuple[int, int, int]]


def tracks(path: Path, facts: media.Media) -> list[cue.Track]:
    """The channels CC1 to CC4 that hold text; nothing if the stream has none."""
    stream = next((stream for stream in facts.streams if stream.kind in tables.VIDEO), None)
    if stream is None:
        return []
    clock = timelines.Clock(facts.video.zero_stamp, fold_seconds=facts.fold_seconds)
    fields = (line21.Field(1), line21.Field(2))
    last = 0.0
    for at, pairs in _presented(path, stream, clock, step=facts.stride):
        if at - last > _HOLE_SECONDS:
            for field in fields:
                field.interrupt(last)
        last = max(last, at)
        for number, first, second in pairs:
            fields[number - 1].take(first, second, at)
    for field in fields:
        field.interrupt(clock.end_seconds)
    return list(_named(fields))


def _named(fields: tuple[line21.Field, line21.Field]) -> Iterator[cue.Track]:
    decoders = [decoder for field in fields for decoder in field.decoders]
    for number, decoder in enumerate(decoders, 1):
        cues = cue.tidy(decoder.cues)
        if cues:
            yield cue.Track(tag=f"cc{number}", label=f"CC{number}", language="", cues=cues)


def _presented(
    path: Path, stream: tables.Stream, clock: timelines.Clock, *, step: int
) -> Iterator[tuple[float, Pairs]]:
    """Pictures come in order of decoding; one is due when no later one can be shown before it."""
    escaped = stream.kind not in tables.MPEG2_VIDEO
    waiting: list[tuple[float, int, Pairs]] = []
    at = 0.0
    for number, unit in enumerate(transport.units(path, stream.pid, step=step)):
        placed = clock.place(unit)
        if placed is not None and unit.pts is not None and unit.dts is not None:
            at = placed
            decoded = at - transport.distance(unit.pts, unit.dts) / transport.CLOCK_PER_SECOND
            while waiting and (waiting[0][0] < decoded or len(waiting) > _DEEPEST_REORDER):
                yield _due(heapq.heappop(waiting))
        heapq.heappush(waiting, (at, number, list(userdata.pairs(unit.payload, escaped=escaped))))
    while waiting:
        yield _due(heapq.heappop(waiting))


def _due(entry: tuple[float, int, Pairs]) -> tuple[float, Pairs]:
    return entry[0], entry[2]
