"""The writing half of a receiver: loads become packets, a health line a second, segments on disk."""

from __future__ import annotations

import errno
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from nephos.recording import batch, health, segments, timeline, writer

if TYPE_CHECKING:
    from nephos.recording.sources import base

logger = logging.getLogger(__name__)

_FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))


@dataclass(slots=True)
class _Tally:
    """The counters of the second that is being written."""

    offset: int | None = None  # not known until the segment is open
    heads: list[health.Bytes] = field(default_factory=list)  # judged together when the second ends: five times cheaper
    datagrams: int = 0
    sync_bytes: int = 0
    rtp_lost: int = 0
    unwritten: int = 0


class Track:
    """One channel's packets on their way to the disk. A full or broken disk is counted, never raised."""

    def __init__(self, slug: str, decoder: batch.Decoder, out: writer.Writer) -> None:
        self.slug = slug
        self.protocol = ""
        self.continuity_errors = 0
        self.trouble = ""
        self._decoder = decoder
        self._writer = out
        self._health = health.Health()
        self._tally: _Tally | None = None

    def replace(self, decoder: batch.Decoder) -> None:
        """The channel comes from elsewhere now; nothing is expected of its first packets."""
        self._decoder = decoder
        self._health.forget()

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
            self._take(fresh.load, tally, writes=begun and has_room)
        if fresh.ends is not None:
            self._end(fresh, fresh.ends, tally)
        if fresh.closes:
            self._writer.close()

    def _begin(self, fresh: batch.Batch) -> bool:
        try:
            self._writer.begin(fresh.second, at=timeline.moment(fresh.at))
        except OSError as error:
            self._failed(error)
            return False
        return True

    def _take(self, load: base.Load, tally: _Tally, *, writes: bool) -> None:
        chunk = self._decoder.decode(load)
        self.protocol = chunk.protocol or self.protocol
        if chunk.packets.size:
            tally.heads.append(health.heads(chunk.packets))
        tally.datagrams += chunk.datagrams
        tally.sync_bytes += chunk.sync_bytes
        tally.rtp_lost += chunk.rtp_lost
        before = self._writer.offset
        if writes and chunk.packets.size:
            self._write(chunk)
        tally.unwritten += int(chunk.packets.size) - (self._writer.offset - before)

    def _write(self, chunk: base.Chunk) -> None:
        try:
            self._writer.write(chunk.packets.data)
        except OSError as error:
            self._failed(error)
        else:
            self.trouble = ""

    def _end(self, fresh: batch.Batch, arrivals: batch.Arrivals, tally: _Tally) -> None:
        self._tally = None
        counts = self._health.feed(np.concatenate(tally.heads)) if tally.heads else health.Counts()
        self.continuity_errors += counts.cc
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
        )
        try:
            self._writer.note(second)
        except OSError as error:
            self._failed(error)

    def _failed(self, error: OSError) -> None:
        trouble = batch.NO_SPACE if error.errno in _FULL else f"writing failed: {error.strerror or error}"
        if trouble != self.trouble:
            logger.error("A segment cannot be written", extra={"channel": self.slug, "error": str(error)})
        self.trouble = trouble
        if error.errno not in _FULL:  # the open file may be of no use any more (a vanished mount): try a fresh one
            self._writer.close()
