"""The recorder on a home of its own, in a thread, for tests."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nephos.config import load
from nephos.lib import clock, heartbeats
from nephos.recording import plan, recorder, segments, timeline


class Station:
    """A home with a plan, and the recorder on it in a thread."""

    def __init__(self, loaded: load.Loaded) -> None:
        self.loaded = loaded
        self.clocks: Callable[[], timeline.Reading] = recorder.read_clocks
        self.stop = threading.Event()
        self._thread: threading.Thread | None = None

    def plan(self, *channels: plan.Channel) -> None:
        plan.write(self.loaded.home.plan_file, plan.Plan(made_at=clock.now(), channels=channels))

    def start(self) -> None:
        made = recorder.Recorder(self.loaded, self.stop, clocks=self._read_clocks)
        self._thread = threading.Thread(target=made.run)
        self._thread.start()

    def _read_clocks(self) -> timeline.Reading:
        return self.clocks()

    def end(self) -> None:
        """Stop, and see that it did."""
        self.stop.set()
        if self._thread is not None:
            self._thread.join(30)
            assert not self._thread.is_alive()

    def folder(self, slug: str = "one") -> Path:
        return segments.folder(self.loaded.home.recordings, slug)

    def recorded(self, slug: str = "one") -> bytes:
        return b"".join(segment.path.read_bytes() for segment in segments.list_segments(self.folder(slug)))

    def seconds(self, slug: str = "one") -> list[segments.Second]:
        return [
            s for seg in segments.list_segments(self.folder(slug)) for s in segments.read_journal(seg.journal).seconds
        ]

    def shown(self) -> list[dict[str, Any]]:
        beat = heartbeats.read(self.loaded.home.run, "recorder")
        return beat["details"]["receivers"] if beat else []

    def wait_until(self, true: Callable[[], object], timeout: float = 40.0) -> None:
        until = time.monotonic() + timeout
        while not true():
            assert time.monotonic() < until, f"it did not come true; {self.shown()}"
            time.sleep(0.02)

    def receives(self, slug: str = "one") -> bool:
        return bool(self.recorded(slug))
