"""Rings when something was committed to the station's databases, so that loops need not ask them all the time.

SQLite tells by `data_version` whether anybody else committed, for a hundredth of what a query of ours costs. (Its files
may not be opened by ourselves: to close one would drop the locks that SQLite holds on it in this process.) Where there
is no such database (PostgreSQL, a file that is not there yet) it rings at each look, and loops ask as often as before.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path

from nephos.lib import clock

LOOK_SECONDS = 0.2
_STEP_SECONDS = 1.0  # of the wall clock against the monotonic one: what waits for a time has to look again


class Doorbell:
    """One for all loops of a process. `look` and `end` are called by one thread, `wait` by all."""

    def __init__(self, databases: Sequence[Path], files: Sequence[Path] = ()) -> None:
        self._databases = [_Database(path) for path in databases]
        self._files = list(files)  # the settings: whoever waits may want to know
        self._rung = threading.Condition()
        self._count = 0
        self._is_over = False
        self._seen: tuple[object, ...] = ()
        self._drift = clock.unix() - clock.monotonic()

    @property
    def count(self) -> int:
        """How often it rang."""
        return self._count

    def look(self) -> None:
        """Ring if anything changed since the last look."""
        versions = [one.version() for one in self._databases]
        seen = (*versions, *map(_mark, self._files))
        drift = clock.unix() - clock.monotonic()
        is_blind = not versions or None in versions
        if is_blind or seen != self._seen or abs(drift - self._drift) > _STEP_SECONDS:
            self._ring()
        self._seen, self._drift = seen, drift

    def end(self) -> None:
        """Nobody waits any more."""
        self._is_over = True
        self._ring()
        for one in self._databases:
            one.close()

    def wait(self, count: int, *, seconds: float) -> None:
        """Until it rang more often than so, or so long."""
        with self._rung:
            self._rung.wait_for(lambda: self._count != count or self._is_over, timeout=seconds)

    def _ring(self) -> None:
        with self._rung:
            self._count += 1
            self._rung.notify_all()


class _Database:
    """A connection that only asks whether others committed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._inode: int | None = None
        self._connection: sqlite3.Connection | None = None

    def version(self) -> tuple[int, int] | None:
        """Another one after each commit; None if it cannot be told."""
        try:
            inode = self._path.stat().st_ino
            if self._connection is None or inode != self._inode:  # it may have been removed and made anew
                self.close()
                self._connection = sqlite3.connect(f"{self._path.as_uri()}?mode=ro", uri=True, timeout=0)
                self._inode = inode
            return (inode, int(self._connection.execute("PRAGMA data_version").fetchone()[0]))
        except (OSError, sqlite3.Error):
            self.close()
            return None

    def close(self) -> None:
        """Ask no more."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _mark(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size)
