"""Log lines that come through a pipe while a person types. Reading never waits for the terminal."""

from __future__ import annotations

import os
import select
import threading
from collections import deque

_MOST = 10_000


class Lines:
    """Whole lines from a pipe; what a person could not follow anyhow is left out and counted."""

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe
        self._waiting: deque[str] = deque()
        self._left_out = 0
        self._guard = threading.Lock()
        threading.Thread(target=self._read, name="console-lines", daemon=True).start()

    def some(self) -> bool:
        """Whether any wait."""
        return bool(self._waiting)

    def take(self) -> list[str]:
        """What came since the last time."""
        with self._guard:
            taken, left_out = list(self._waiting), self._left_out
            self._waiting.clear()
            self._left_out = 0
        if left_out:
            taken.insert(0, f"({left_out:,} lines left out; `logs` has them)")
        return taken

    def _read(self) -> None:
        rest = b""
        while True:
            select.select([self._pipe], [], [])
            try:
                block = os.read(self._pipe, 65536)
            except BlockingIOError:
                continue
            if not block:
                return
            *whole, rest = (rest + block).split(b"\n")
            with self._guard:
                for line in whole:
                    self._waiting.append(line.decode("utf-8", "replace"))
                while len(self._waiting) > _MOST:
                    self._waiting.popleft()
                    self._left_out += 1
