"""A role tells that it is alive: a small file in `run/`, replaced at most once a second."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from nephos.lib import clock, files

LATE_AFTER = timedelta(seconds=10)


@dataclass(slots=True)
class Heartbeat:
    """Writes `run/<role>.json`; call `beat` as often as you like."""

    folder: Path
    role: str
    started_at: datetime = field(default_factory=clock.now)
    _last: float = field(default=-10.0)

    def beat(self, *, state: str = "running", details: dict[str, Any] | None = None, now: bool = False) -> None:
        """Say "alive", with what people may want to see; skipped if the last beat is under a second old."""
        if not now and clock.monotonic() - self._last < 1.0:
            return
        self._last = clock.monotonic()
        files.write_json(
            self.folder / f"{self.role}.json",
            {
                "role": self.role,
                "pid": os.getpid(),
                "state": state,
                "started_at": clock.stamp(self.started_at),
                "beat_at": clock.stamp(clock.now()),
                "details": details or {},
            },
            durable=False,
        )


def read(folder: Path, role: str) -> dict[str, Any] | None:
    """The last beat of a role, None if it never ran."""
    beat = files.read_json(folder / f"{role}.json")
    return beat if isinstance(beat, dict) else None
