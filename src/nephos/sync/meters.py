"""How fast it goes: bytes and files over the last seconds."""

from __future__ import annotations

import collections
import threading

from nephos.lib import clock

_WINDOW_SECONDS = 5.0
_GRAIN_SECONDS = 0.05


class Meter:
    """Counts what was acknowledged. For several threads."""

    def __init__(self) -> None:
        self._marks: collections.deque[list[float]] = collections.deque()  # moment, bytes, files
        self._lock = threading.Lock()
        self._began = clock.monotonic()

    def add(self, number_of_bytes: int, *, files: int = 0) -> None:
        """Something arrived."""
        with self._lock:
            now = clock.monotonic()
            if self._marks and now - self._marks[-1][0] < _GRAIN_SECONDS:
                self._marks[-1][1] += number_of_bytes
                self._marks[-1][2] += files
                return
            self._marks.append([now, number_of_bytes, files])
            self._forget()

    def rates(self) -> tuple[float, float]:
        """Bytes and files per second."""
        with self._lock:
            self._forget()
            span = min(_WINDOW_SECONDS, max(1.0, clock.monotonic() - self._began))
            return sum(mark[1] for mark in self._marks) / span, sum(mark[2] for mark in self._marks) / span

    def _forget(self) -> None:
        oldest = clock.monotonic() - _WINDOW_SECONDS
        while self._marks and self._marks[0][0] < oldest:
            self._marks.popleft()
