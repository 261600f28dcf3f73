"""The writing thread of the recorder. Sockets never wait for a disk: what they fetched waits here, up to a limit."""

from __future__ import annotations

import dataclasses
import logging
import queue
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nephos.lib import files, heartbeats, ports
from nephos.recording import batch, segments, writer

if TYPE_CHECKING:  # loads numpy
    from nephos.recording import track

logger = logging.getLogger(__name__)

_LEAST_BYTES = 64 * 1024 * 1024
_MOST_BYTES = 512 * 1024 * 1024  # ten seconds of 100 channels: a busy disk stands still for that long
_MEMORY_SHARE = 8
_MOST_ENTRIES = 20_000
_ROOM_AGAIN = 1.1  # writing starts again when this many times the floor is free, so that it does not flutter

Work = Callable[[], None]


class Desk:
    """Does work in the order it is handed in. Anything slow or heavy to import happens here."""

    def __init__(self, *, recordings: Path, floor_bytes: int, heartbeat: heartbeats.Heartbeat) -> None:
        self.has_room = True
        self.recordings = recordings
        self.floor_bytes = floor_bytes
        self._heartbeat = heartbeat
        self._waiting: queue.SimpleQueue[tuple[Work, int] | None] = queue.SimpleQueue()
        self._most_bytes = min(_MOST_BYTES, max(_LEAST_BYTES, ports.memory_bytes() // _MEMORY_SHARE))
        self._bytes_in = self._bytes_out = 0  # each written by one thread only
        self._thread = threading.Thread(target=self._work, name="desk", daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    @property
    def waiting_bytes(self) -> int:
        """How much is fetched and not yet written."""
        return self._bytes_in - self._bytes_out

    def warm_up(self) -> None:
        """Load what writing needs before anything comes, so that the first start of a recording is as quick as any."""
        self.offer(_load_writing)

    def offer(self, work: Work, *, size: int = 0) -> bool:
        """Hand in work that stands for so many bytes; False, and it is not done, if the disk is hopelessly behind."""
        if self._waiting.qsize() >= _MOST_ENTRIES or (size and self.waiting_bytes + size > self._most_bytes):
            return False
        self._bytes_in += size
        self._waiting.put((work, size))
        return True

    def beat(
        self, receivers: list[dict[str, Any]], *, state: str = "running", left: dict[str, Any] | None = None
    ) -> None:
        """Tell that the recorder lives, and look after the space that is left; at its turn, so a stuck disk shows."""
        self.offer(lambda: self._beat(receivers, state, left or {}))

    def end(self, *, within: float) -> bool:
        """Finish what was handed in; False if that took too long."""
        self._waiting.put(None)
        self._thread.join(within)
        return not self._thread.is_alive()

    def _work(self) -> None:
        while (entry := self._waiting.get()) is not None:
            work, size = entry
            try:
                work()
            except Exception:  # the edge of this loop: one channel's trouble is not the others'
                logger.exception("Writing a batch failed")
            self._bytes_out += size

    def _beat(self, receivers: list[dict[str, Any]], state: str, left: dict[str, Any]) -> None:
        self._look_at_space()
        is_full = not self.has_room or any(one["reason"] == batch.NO_SPACE for one in receivers)
        shown = "no_space" if is_full else state
        details = {"receivers": receivers, "waiting_bytes": self.waiting_bytes, "has_room": self.has_room, **left}
        self._heartbeat.beat(state=shown, details=details, now=True)

    def _look_at_space(self) -> None:
        try:
            free = files.free_bytes(self.recordings)
        except OSError:
            return  # the writers will find out what is wrong with it
        had_room = self.has_room
        self.has_room = free >= self.floor_bytes * (1.0 if had_room else _ROOM_AGAIN)
        if self.has_room != had_room:
            facts = {"free_bytes": free, "floor_bytes": self.floor_bytes}
            if self.has_room:
                logger.warning("There is space again, recording goes on", extra=facts)
            else:
                logger.error("The disk is almost full, recording stops", extra=facts)


def _load_writing() -> None:
    from nephos.recording import track  # noqa: F401 - with numpy a tenth of a second
    from nephos.recording.sources import datagrams  # noqa: F401


class Lane:
    """The way of one channel to the disk: batches handed in here are written by a track of its own."""

    def __init__(self, slug: str, *, desk: Desk, closer: writer.Closer, segment_seconds: int) -> None:
        self.slug = slug
        self.segment_seconds = segment_seconds
        self._desk = desk
        self._closer = closer
        self._decoder: batch.Decoder | None = None
        self._track: track.Track | None = None
        self._refused_bytes = 0

    @property
    def continuity_errors(self) -> int:
        return self._track.continuity_errors if self._track is not None else 0

    @property
    def protocol(self) -> str:
        return self._track.protocol if self._track is not None else ""

    @property
    def problem(self) -> str:
        return self._track.problem if self._track is not None else ""

    @property
    def trouble(self) -> str:
        return self._track.trouble if self._track is not None else ""

    def cut_into(self, segment_seconds: int) -> None:
        """Segments to come are so long."""
        self._desk.offer(lambda: self._cut_into(segment_seconds))

    def _cut_into(self, segment_seconds: int) -> None:
        self.segment_seconds = segment_seconds
        if self._track is not None:
            self._track.cut_into(segment_seconds)

    def decode_with(self, decoder: batch.Decoder) -> None:
        """Batches from now on come from this source."""
        self._desk.offer(lambda: self._switch(decoder))

    def put(self, fresh: batch.Batch) -> None:
        """Hand in a batch. What the desk has no room for is counted in the next one that it takes."""
        size = len(fresh.load.raw) if fresh.load is not None else 0
        if self._refused_bytes:
            fresh = dataclasses.replace(fresh, unwritten=self._refused_bytes)
        if self._desk.offer(lambda: self._write(fresh), size=size):
            self._refused_bytes = 0
            return
        self._refused_bytes += size
        bare = dataclasses.replace(fresh, load=None, unwritten=self._refused_bytes)
        if self._desk.offer(lambda: self._write(bare)):
            self._refused_bytes = 0

    def _switch(self, decoder: batch.Decoder) -> None:
        self._decoder = decoder
        if self._track is not None:
            self._track.replace(decoder)

    def _write(self, fresh: batch.Batch) -> None:
        if self._track is None:
            self._track = self._make_track()
        if self._track is not None:
            self._track.handle(fresh, has_room=self._desk.has_room)

    def _make_track(self) -> track.Track | None:
        """On the desk's thread, because it loads numpy, after the join."""
        from nephos.recording import track

        if self._decoder is None:
            return None
        folder = segments.folder(self._desk.recordings, self.slug)
        out = writer.Writer(folder, segment_seconds=self.segment_seconds, closer=self._closer)
        return track.Track(self.slug, self._decoder, out)
