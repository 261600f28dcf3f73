"""The writing half of a receiver: loads become packets, a health line a second, segments on disk."""

from __future__ import annotations

import errno
import logging
from dataclasses import dataclass, field

import numpy as np

from nephos.recording import batch, health, maps, pcr, segments, tables, timeline, watch, writer
from nephos.recording.sources import base

logger = logging.getLogger(__name__)

_FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))


@dataclass(slots=True)
class _Tally:
    """The counters of the second that is being written."""

    offset: int | None = None  # not known until the segment is open
    heads: list[health.Bytes] = field(default_factory=list)  # judged together when the second ends: five times cheaper
    counts: health.Counts = field(default_factory=health.none)
    datagrams: int = 0
    sync_bytes: int = 0
    rtp_lost: int = 0
    unwritten: int = 0
    maps: int = 0


class Track:
    """One channel's packets on their way to the disk. A full or broken disk is counted, never raised."""

    def __init__(self, slug: str, decoder: batch.Decoder, out: writer.Writer) -> None:
        self.slug = slug
        self.protocol = ""
        self.continuity_errors = 0
        self.trouble = ""
        self._clock = pcr.Clock()
        self._watch = watch.Watch()
        self._maps = maps.Reader()
        self._decoder = decoder
        self._writer = out
        self._health = health.Health()
        self._tally: _Tally | None = None

    @property
    def problem(self) -> str:
        """What is wrong with what comes, empty if nothing is."""
        return self._watch.problem

    @property
    def programmes(self) -> tuple[tables.Programme, ...]:
        """The programme map as it came last."""
        return self._maps.tables.programmes

    def cut_into(self, segment_seconds: int) -> None:
        """Segments to come are so long."""
        self._writer.segment_seconds = segment_seconds

    def replace(self, decoder: batch.Decoder) -> None:
        """The channel comes from elsewhere now; nothing is expected of its first packets."""
        self._decoder = decoder
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._health.forget()
        self._clock.forget()

    def handle(self, fresh: batch.Batch, *, has_room: bool) -> None:
        """Write and count one batch. `has_room=False` keeps the journal and leaves the packets out."""
        begun = self._begin(fresh)
        tally = self._tally
        if tally is None:
            tally = self._tally = _Tally()
        if begun and tally.offset is None:
            tally.offset = self._writer.offset
        tally.unwritten += fresh.unwritten
        if fresh.load is not None:
            self._take(fresh.load, tally, at=fresh.at if begun and has_room else None)
        elif fresh.ends is not None:
            self._take(base.Load(b"", ()), tally, at=fresh.at if begun and has_room else None)
        if fresh.ends is not None:
            self._end(fresh, fresh.ends, tally)
        if fresh.closes:
            self._writer.close()

    def _begin(self, fresh: batch.Batch) -> bool:
        try:
            self._writer.begin(fresh.second, at=timeline.moment(fresh.at), era=fresh.era)
        except OSError as error:
            self._failed(error)
            return False
        return True

    def _take(self, load: base.Load, tally: _Tally, *, at: float | None) -> None:
        """Count, and write with this time; without one nothing is written."""
        chunk = self._decoder.decode(load)
        self.protocol = chunk.protocol or self.protocol
        if chunk.begins:
            self._judge(tally)
            self._begin_anew()
        if chunk.packets.size:
            heads = health.heads(chunk.packets)
            tally.heads.append(heads)
            tally.maps += self._maps.look(chunk.packets, heads)
        tally.datagrams += chunk.datagrams
        tally.sync_bytes += chunk.sync_bytes
        tally.rtp_lost += chunk.rtp_lost
        before = self._writer.offset
        if at is not None and chunk.packets.size:
            self._write(chunk, at)
        tally.unwritten += int(chunk.packets.size) - (self._writer.offset - before)

    def _write(self, chunk: base.Chunk, at: float) -> None:
        try:
            self._writer.write(chunk.packets.data, at=at)
        except OSError as error:
            self._failed(error)
        else:
            self.trouble = ""

    def _end(self, fresh: batch.Batch, arrivals: batch.Arrivals, tally: _Tally) -> None:
        self._tally = None
        self._judge(tally)
        counts = tally.counts
        self.continuity_errors += counts.cc
        step = self._clock.step(counts.pcr, fresh.mono)
        if self._watch.note(counts, sync_bytes=tally.sync_bytes, is_frozen=step.is_frozen):
            logger.warning("A stream changed", extra={"channel": self.slug, "problem": str(self._watch.problem)})
        if tally.offset is None or not self._writer.is_open:
            return
        second = segments.Second(
            utc=timeline.moment(fresh.second),
            mono=round(fresh.mono, 3),
            offset=tally.offset,
            bytes=max(0, self._writer.offset - tally.offset),
            datagrams=tally.datagrams,
            packets=counts.packets,
            cc=counts.cc,
            missing=counts.missing,
            sync=tally.sync_bytes,
            scrambled=counts.scrambled,
            null=counts.null,
            tei=counts.tei,
            rtp_lost=tally.rtp_lost,
            drops=arrivals.dropped,
            unwritten=tally.unwritten,
            first=arrivals.first,
            last=arrivals.last,
            pcr=counts.pcr,
            jumps=int(step.jumped),
            wraps=int(step.wrapped),
            maps=tally.maps,
            bookings=fresh.bookings,
        )
        try:
            self._writer.note(second)
        except OSError as error:
            self._failed(error)

    def _judge(self, tally: _Tally) -> None:
        """Count what was gathered of this second."""
        if tally.heads:
            tally.counts += self._health.feed(np.concatenate(tally.heads))
            tally.heads = []

    def _failed(self, error: OSError) -> None:
        trouble = batch.NO_SPACE if error.errno in _FULL else f"writing failed: {error.strerror or error}"
        if trouble != self.trouble:
            logger.error("A segment cannot be written", extra={"channel": self.slug, "error": str(error)})
        self.trouble = trouble
        if error.errno not in _FULL:  # the open file may be of no use any more (a vanished mount): try a fresh one
            self._writer.close()
