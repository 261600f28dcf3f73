"""Kills the process it runs in at a chosen commit of the sync journal; only the entry point of the tests asks for it.

`before:N` and `after:N` end the process, as `kill -9` does, right before or after the N-th commit that changes
something.
"""

from __future__ import annotations

import os
import signal
import sqlite3

from nephos.sync import journal


class _Watched:
    """A connection that looks at each COMMIT."""

    def __init__(self, inner: sqlite3.Connection, order: str) -> None:
        self._inner = inner
        self._kind, _, self._value = order.partition(":")
        self._changes = inner.total_changes
        self._commits = 0

    def execute(self, sql: str, *values: object) -> sqlite3.Cursor:
        if sql != "COMMIT" or self._inner.total_changes == self._changes:
            return self._inner.execute(sql, *values)  # type: ignore[arg-type]
        self._commits += 1
        self._end_if("before")
        done = self._inner.execute(sql)
        self._changes = self._inner.total_changes
        self._end_if("after")
        return done

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)

    def _end_if(self, when: str) -> None:
        if self._kind == when and self._commits == int(self._value):
            os.kill(os.getpid(), signal.SIGKILL)


def install(order: str) -> None:
    """From now on, in this process."""
    connect = journal.database.connect
    journal.database.connect = lambda path: _Watched(connect(path), order)  # type: ignore[assignment,return-value]
