"""The one writer of `sync.db`: a thread that commits what many threads ask for, in groups, durably."""

from __future__ import annotations

import logging
import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from nephos.lib import clock
from nephos.sync import database, errors

logger = logging.getLogger(__name__)

Result = TypeVar("Result")
Work = Callable[[sqlite3.Connection], Result]

_MOST_IN_GROUP = 1000
_LINGER_SECONDS = 0.02


@dataclass(slots=True)
class _Request:
    work: Work[Any]
    awaited: bool
    future: Future[Any] = field(default_factory=Future)


class Journal:
    """Give it functions of a connection; each runs whole or not at all, in the order given.

    `commit` returns when it is on the disk, `submit` at once. A group is at most 1,000 requests or 20 ms of them.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._requests: queue.Queue[_Request | None] = queue.Queue(maxsize=20_000)
        self._broken: str = ""
        self._connection = database.connect(path)
        self._changes = _Changes(self._connection)
        self._thread = threading.Thread(target=self._write, name="journal", daemon=True)
        self._thread.start()

    def submit(self, work: Work[Result]) -> Future[Result]:
        """Write soon; a failure is logged and told by the future. Raises JournalBroken if the disk failed before."""
        return self._ask(_Request(work, awaited=False))

    def commit(self, work: Work[Result]) -> Result:
        """Write now and return when it is durable."""
        result: Result = self._ask(_Request(work, awaited=True)).result()
        return result

    def close(self) -> None:
        """Write what was asked for, then let go of the file."""
        self._requests.put(None)
        self._thread.join()
        self._connection.close()

    def _ask(self, request: _Request) -> Future[Any]:
        if self._broken:
            raise errors.JournalBroken(f"The sync journal cannot be written: {self._broken}.")
        self._requests.put(request)
        return request.future

    def _write(self) -> None:
        going = True
        while going:
            group, going = self._gather()
            try:
                self._carry_out(group)
            except sqlite3.Error as error:
                self._broken = str(error)
                logger.exception("The sync journal cannot be written")
                for request in group:
                    if not request.future.done():
                        request.future.set_exception(errors.JournalBroken(f"The sync journal failed: {error}."))

    def _gather(self) -> tuple[list[_Request], bool]:
        group: list[_Request] = []
        first = self._requests.get()
        deadline = clock.monotonic() + _LINGER_SECONDS
        while first is not None:
            group.append(first)
            if len(group) >= _MOST_IN_GROUP:
                return group, True
            # Somebody who waits is not kept waiting for company.
            patience = 0.0 if first.awaited else max(0.0, deadline - clock.monotonic())
            deadline = 0.0 if first.awaited else deadline
            try:
                first = self._requests.get(timeout=patience) if patience else self._requests.get_nowait()
            except queue.Empty:
                return group, True
        return group, False

    def _carry_out(self, group: list[_Request]) -> None:
        try:
            results = self._all_at_once(group)
        except sqlite3.OperationalError:
            raise
        except Exception:  # noqa: BLE001 - whose fault it was shows when each is on its own
            results = [self._alone(request) for request in group]
        for request, (value, error) in zip(group, results, strict=True):
            if error is None:
                request.future.set_result(value)
            else:
                request.future.set_exception(error)

    def _all_at_once(self, group: list[_Request]) -> list[tuple[Any, BaseException | None]]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            results: list[tuple[Any, BaseException | None]] = [(each.work(self._connection), None) for each in group]
            self._changes.keep(self._connection)
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
        return results

    def _alone(self, request: _Request) -> tuple[Any, BaseException | None]:
        try:
            return self._all_at_once([request])[0]
        except sqlite3.OperationalError:
            raise
        except Exception as error:
            if not request.awaited:
                logger.exception("A note in the sync journal failed")
            return None, error


class _Changes:
    """Numbers the changes of paths without a statement for each: `next_change()` in SQL, kept once a group."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        row = connection.execute("SELECT value FROM counters WHERE name = 'change'").fetchone()
        self._last = self._kept = int(row["value"])
        connection.create_function("next_change", 0, self._next)

    def keep(self, connection: sqlite3.Connection) -> None:
        """Write the last number into the running transaction, so that none is ever given twice."""
        if self._last != self._kept:
            connection.execute("UPDATE counters SET value = ? WHERE name = 'change'", (self._last,))
            self._kept = self._last

    def _next(self) -> int:
        self._last += 1
        return self._last
