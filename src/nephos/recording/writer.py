"""Writes the segments of one channel and their journals: appended in place, valid to the last packet at any moment."""

from __future__ import annotations

import logging
import os
import queue
import threading
from datetime import UTC, datetime
from pathlib import Path

from nephos.lib import files
from nephos.recording import eras, segments

logger = logging.getLogger(__name__)

_NEIGHBOUR_SECONDS = 60.0  # an older segment written so recently belongs to the same reception
_CLOSING_AT_ONCE = 256
Buffer = bytes | memoryview


class Closer:
    """Makes finished files durable and closes them on a thread of its own: fsync may take seconds on a busy disk."""

    def __init__(self) -> None:
        self._waiting: queue.Queue[tuple[int, Path] | None] = queue.Queue(maxsize=_CLOSING_AT_ONCE)
        self._is_behind = False  # told once, not for each of a hundred channels
        self._thread = threading.Thread(target=self._work, name="closer", daemon=True)
        self._thread.start()

    def close(self, handle: int, folder: Path) -> None:
        """Take over an open file; when hopelessly behind, it is closed without waiting for the disk."""
        try:
            self._waiting.put_nowait((handle, folder))
        except queue.Full:
            if not self._is_behind:
                self._is_behind = True
                logger.warning("The disk is too slow to confirm finished segments", extra={"folder": str(folder)})
            os.close(handle)

    def end(self, *, within: float) -> bool:
        """Finish what waits; False if that took too long."""
        try:
            self._waiting.put(None, timeout=within)
        except queue.Full:
            return False
        self._thread.join(within)
        return not self._thread.is_alive()

    def _work(self) -> None:
        while (entry := self._waiting.get()) is not None:
            handle, folder = entry
            try:
                os.fsync(handle)
                files.sync_folder(folder)
            except OSError as error:
                logger.warning("A finished segment is not confirmed by the disk", extra={"error": str(error)})
            finally:
                os.close(handle)
            self._is_behind = self._is_behind and not self._waiting.empty()


class Writer:
    """One channel's segments, one open at a time."""

    def __init__(self, folder: Path, *, segment_seconds: int, closer: Closer) -> None:
        self.segment_seconds = segment_seconds  # of the segments to come
        self._folder = folder
        self._closer = closer
        self._start: int | None = None
        self._until = 0  # the second of UTC in which the next segment begins
        self._newest: int | None = None  # start of the last segment of this era
        self._era = 0
        self._stream = -1
        self._journal = -1
        self.offset = 0
        self._is_new = True  # nothing written since this receiver started

    @property
    def is_open(self) -> bool:
        return self._start is not None

    def begin(self, second: int, *, at: datetime, era: int = 0) -> None:
        """Bytes that follow came `at` that time, in this second of UTC. Raises OSError."""
        if self._start is not None and era == self._era and second < self._until:
            return
        self.close()
        if self._is_new or era != self._era:
            self._era = era
            found = [s for s in segments.list_segments(self._folder) if s.era == era] if self._is_new else []
            self._newest = int(found[-1].start.timestamp()) if found else None
        start = self._next_start(second)
        self._open(start, at)
        self._newest, self._until = start, segments.slot(start, self.segment_seconds) + self.segment_seconds

    def _next_start(self, second: int) -> int:
        """Never behind the newest segment, though that was longer than they are now: names tell the order."""
        start = segments.slot(second, self.segment_seconds)
        if self._newest is None or start >= self._newest:
            return start
        return max(second, self._newest)

    def write(self, packets: Buffer, *, at: float | None = None) -> None:
        """Append whole packets: all of them, or none from the first that does not fit. Raises OSError.

        `at` is the time that the file will show: a file server's clock may be another, and ours may be set meanwhile.
        """
        rest = memoryview(packets)
        written = 0
        try:
            while rest:
                step = os.write(self._stream, rest)
                written += step
                rest = rest[step:]
        finally:
            whole = written - written % segments.PACKET_BYTES
            self.offset += whole
            if whole != written:
                os.ftruncate(self._stream, self.offset)
        if at is not None and os.utime in os.supports_fd:
            os.utime(self._stream, (at, at))

    def note(self, second: segments.Second) -> None:
        """Append a line to the journal. Raises OSError."""
        line = segments.second_line(second)
        size = os.lseek(self._journal, 0, os.SEEK_END)
        if os.write(self._journal, line) != len(line):
            os.ftruncate(self._journal, size)

    def close(self) -> None:
        """Hand the files over to be made durable; the next `begin` opens again."""
        for handle in (self._stream, self._journal):
            if handle >= 0:
                self._closer.close(handle, self._folder)
        self._stream = self._journal = -1
        self._start = None

    def _open(self, start: int, at: datetime) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / segments.name(start, self._era)
        last_write = _written_at(path) or (self._neighbour(at) if self._is_new else None)
        stream = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o644)
        try:
            offset = _cut(stream, segments.PACKET_BYTES)
            journal = os.open(segments.journal_path(path), os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        except BaseException:
            os.close(stream)
            raise
        self._stream, self._journal, self._start, self.offset = stream, journal, start, offset
        _cut_line(journal)
        if last_write is not None:
            os.write(
                journal,
                segments.resume_line(
                    segments.Resume(at=at, offset=offset, last_write=datetime.fromtimestamp(last_write, UTC))
                ),
            )
        self._is_new = False

    def _neighbour(self, at: datetime) -> float | None:
        """When the newest segment here was last written, if that is so recent that this reception continues it."""
        found = segments.list_segments(self._folder)
        written = _written_at(found[-1].path) if found else None
        if written is None:
            return None
        written += eras.read(self._folder.parents[1]).shift(of=found[-1].era, to=self._era).total_seconds()
        return written if abs(at.timestamp() - written) < _NEIGHBOUR_SECONDS else None


def _written_at(path: Path) -> float | None:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return None


def _cut(handle: int, unit: int) -> int:
    """Cut a torn tail; returns the size."""
    size = os.fstat(handle).st_size
    if size % unit:
        os.ftruncate(handle, size - size % unit)
    return size - size % unit


def _cut_line(handle: int) -> None:
    """Cut a torn last line, which a reader could not tell from a whole one that follows it."""
    size = os.fstat(handle).st_size
    start = max(0, size - 65536)
    os.lseek(handle, start, os.SEEK_SET)
    tail = os.read(handle, size - start)
    if tail and not tail.endswith(b"\n"):
        os.ftruncate(handle, start + tail.rfind(b"\n") + 1)
