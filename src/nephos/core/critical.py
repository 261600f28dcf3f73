"""A program's cry for help leaves the process at once: a small file that the keeper turns into a problem and a mail.

A file needs no database, no network and no other process to be alive.
"""

from __future__ import annotations

import contextlib
import logging
import os
from pathlib import Path

from nephos.lib import clock, files, ids

_LONGEST = 2000
_MOST_FILES = 200
_SAME_AGAIN_SECONDS = 10.0


def folder(run: Path) -> Path:
    """Where the cries of a home wait."""
    return run / "critical"


class Spool(logging.Handler):
    """Keeps each critical record as `run/critical/ID.json`; the same one again only every ten seconds."""

    def __init__(self, run: Path, role: str) -> None:
        super().__init__(level=logging.CRITICAL)
        self._folder = folder(run)
        self._role = role
        self._last: dict[tuple[str, str], float] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Write it. A full disk must not turn one trouble into two."""
        same = (record.name, str(record.msg)[:_LONGEST])
        now = clock.monotonic()
        if now - self._last.get(same, -_SAME_AGAIN_SECONDS) < _SAME_AGAIN_SECONDS:
            return
        self._last[same] = now
        with contextlib.suppress(OSError, ValueError, TypeError):
            self._write(record)

    def _write(self, record: logging.LogRecord) -> None:
        self._folder.mkdir(mode=0o750, exist_ok=True)
        if sum(1 for _ in self._folder.iterdir()) >= _MOST_FILES:
            return
        error = record.exc_info[1] if record.exc_info else None
        files.write_json(
            self._folder / f"{ids.new()}.json",
            {
                "role": self._role,
                "module": record.name,
                "template": str(record.msg)[:_LONGEST],
                "message": record.getMessage()[:_LONGEST],
                "error": f"{type(error).__name__}: {error}"[:_LONGEST] if error else "",
                "pid": os.getpid(),
                "at": clock.stamp(clock.now()),
            },
            durable=False,
        )
