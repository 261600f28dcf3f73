"""The one writer of `sync.db`: a thread that commits what many threads ask for, in groups, durably."""

from __future__ import annotations

import collections
import logging
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from nephos.lib import ports
from nephos.sync import database, errors

logger = logging.getLogger(__name__)

Entry = TypeVar("Entry")
Result = TypeVar("Result")
Work = Callable[[sqlite3.Connection], Result]
Batch = Callable[[sqlite3.Connection, list[Entry]], object]

_MOST_IN_GROUP = 1000
_LINGER_SECONDS = 0.02
_MOST_WAITING = 20_000


@dataclass(slots=True)
class _Request:
    """Work of its own, or one entry of what a batch writes together; a future only where somebody may look at it."""

    work: Work[Any] | None = None
    awaited: bool = False
    future: Future[Any] | None = None
    batch: Batch[Any] | None = None
    entry: Any = None


class Journal:
    """Give it functions of a connection; each runs whole or not at all, in the order given.

    `commit` returns when it is on the disk, `submit` and `add` at once. A group is at most 1,000 requests or 20 ms.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._requests: collections.deque[_Request] = collections.deque()
        self._bell = threading.Event()  # rung for who waits, and when the writer sleeps; not for every request
        self._hurried = self._idle = self._closing = False
        self._broken: str = ""
        self._connection = database.connect(path)
        self._changes = _Changes(self._connection)
        self._thread = threading.Thread(target=self._write, name="journal", daemon=True)
        self._thread.start()

    def submit(self, work: Work[Result]) -> Future[Result]:
        """Write soon; a failure is logged and told by the future. Raises JournalBroken if the disk failed before."""
        future: Future[Result] = Future()
        self._ask(_Request(work, future=future))
        return future

    def add(self, batch: Batch[Entry], entry: Entry) -> None:
        """Write soon, in one call of `batch` with the neighbours that ask for the same one. Raises JournalBroken.

        For what comes thousands of times a second: a statement for all of them costs a tenth of one for each.
        """
        self._ask(_Request(batch=batch, entry=entry))

    def commit(self, work: Work[Result]) -> Result:
        """Write now and return when it is durable."""
        future: Future[Result] = Future()
        self._ask(_Request(work, awaited=True, future=future))
        return future.result()

    def close(self) -> None:
        """Write what was asked for, then let go of the file."""
        self._closing = True
        self._bell.set()
        self._thread.join()
        self._connection.close()

    def _ask(self, request: _Request) -> None:
        if self._broken:
            raise errors.JournalBroken(f"The sync journal cannot be written: {self._broken}.")
        while len(self._requests) >= _MOST_WAITING and not request.awaited and not self._broken:
            ports.pause(_LINGER_SECONDS)
        self._requests.append(request)
        if request.awaited:
            self._hurried = True
        if request.awaited or self._idle:
            self._bell.set()

    def _write(self) -> None:
        while group := self._gather():
            try:
                self._carry_out(group)
            except sqlite3.Error as error:
                self._broken = str(error)
                logger.exception("The sync journal cannot be written")
                for request in group:
                    if request.future is not None and not request.future.done():
                        request.future.set_exception(errors.JournalBroken(f"The sync journal failed: {error}."))

    def _gather(self) -> list[_Request]:
        """The next group; none when all is written and nothing more will come."""
        while not self._requests:
            if self._closing:
                return []
            self._idle = True
            if not self._requests and not self._closing:  # looked at again: who came before `idle` did not ring
                self._bell.wait()
            self._idle = False
            self._bell.clear()
        if not self._hurried and not self._closing:
            self._bell.wait(_LINGER_SECONDS)  # for company; somebody who waits is not kept waiting for it
        self._hurried = False
        self._bell.clear()
        return [self._requests.popleft() for _ in range(min(len(self._requests), _MOST_IN_GROUP))]

    def _carry_out(self, group: list[_Request]) -> None:
        try:
            results = self._all_at_once(group)
        except sqlite3.OperationalError:
            raise
        except Exception:  # noqa: BLE001 - whose fault it was shows when each is on its own
            results = [self._alone(request) for request in group]
        for request, (value, error) in zip(group, results, strict=True):
            if request.future is None:
                continue
            if error is None:
                request.future.set_result(value)
            else:
                request.future.set_exception(error)

    def _all_at_once(self, group: list[_Request]) -> list[tuple[Any, BaseException | None]]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            results: list[tuple[Any, BaseException | None]] = [(result, None) for result in self._results(group)]
            self._changes.keep(self._connection)
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
        return results

    def _results(self, group: list[_Request]) -> Iterator[Any]:
        """One result each, in order; neighbours with the same batch go in one call."""
        entries: list[Any] = []
        for place, request in enumerate(group):
            if request.work is not None:
                yield request.work(self._connection)
                continue
            entries.append(request.entry)
            following = group[place + 1] if place + 1 < len(group) else None
            if request.batch is not None and (following is None or following.batch is not request.batch):
                request.batch(self._connection, entries)
                entries = []
            yield None

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
        connection.create_function("next_changes", 1, self._reserve)

    def keep(self, connection: sqlite3.Connection) -> None:
        """Write the last number into the running transaction, so that none is ever given twice."""
        if self._last != self._kept:
            connection.execute("UPDATE counters SET value = ? WHERE name = 'change'", (self._last,))
            self._kept = self._last

    def _next(self) -> int:
        self._last += 1
        return self._last

    def _reserve(self, count: int) -> int:
        """The first of so many numbers."""
        first = self._last + 1
        self._last += count
        return first
