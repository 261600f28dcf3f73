"""One call of `send`: takes files as they come, keeps many of them on their way over a few channels."""

from __future__ import annotations

import collections
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor

from nephos.lib import ports
from nephos.sync import errors
from nephos.sync.connections import base
from nephos.sync.connections.sftp.crew import Crew, Lane
from nephos.sync.connections.sftp.folders import Folders
from nephos.sync.connections.sftp.lobby import Lobby
from nephos.sync.connections.sftp.small import MOST_BYTES, Small
from nephos.sync.connections.sftp.upload import Upload
from nephos.sync.connections.sftp.yard import Yard

_SLICE_SECONDS = 0.25


class Shift:
    """Ends when there are no more items and all that were taken have an outcome."""

    def __init__(
        self, lobby: Lobby, folders: Folders, journal: base.TransferJournal, stop: ports.Waiter, hashing: Executor
    ) -> None:
        self._lobby = lobby
        self._stop = stop
        self._ended: collections.deque[base.Outcome] = collections.deque()
        self._yard = Yard(lobby.place, folders, journal, hashing, self._ended)
        self._crew = Crew(lobby, stop)
        self._next: base.Item | None = None
        self._more = True

    def run(self, items: Iterable[base.Item]) -> Iterator[base.Outcome]:
        """Outcomes as they come."""
        waiting = iter(items)
        try:
            while True:
                self._fill(waiting)
                if self._ended:
                    yield from self._outcomes()
                    continue
                if not self._more and self._next is None and not self._crew.is_busy:
                    return
                self._turn()
        finally:
            self._crew.close()

    def _outcomes(self) -> Iterator[base.Outcome]:
        while self._ended:
            yield self._ended.popleft()

    def _fill(self, waiting: Iterator[base.Item]) -> None:
        """Give each channel files, up to what it can have on its way."""
        while not self._ended:
            if self._stop.is_set():
                self._interrupt()
                return
            if self._next is None:
                self._next = next(waiting, None) if self._more else None
                self._more = self._next is not None
            if self._next is None:
                return
            lane = self._free_lane()
            if lane is None:
                return
            item, self._next = self._next, None
            self._take(item, lane)

    def _take(self, item: base.Item, lane: Lane) -> None:
        size = item.fingerprint.size_bytes
        if size > MOST_BYTES or item.grown:
            lane.take(Upload(item, lane.channel, self._yard))
        else:
            lane.take(Small(item, lane.channel, self._yard))
            self._crew.pace(size)

    def _free_lane(self) -> Lane | None:
        """The channel with the fewest files, if it can take one more."""
        try:
            return self._crew.free_lane()
        except errors.SyncError as error:
            self._refuse(error)
            return None

    def _refuse(self, error: errors.SyncError) -> None:
        """There is no login: that is the outcome of the file that needed one."""
        if self._next is not None and not self._crew.is_ready:
            self._ended.append(base.Outcome(self._next, error=error))
            self._next = None

    def _turn(self) -> None:
        self._crew.hire()
        self._crew.pump(0.0 if self._ended else _SLICE_SECONDS)
        for error in self._crew.dismiss():
            self._refuse(error)

    def _interrupt(self) -> None:
        """Stop at once: what is on its way is broken off, and goes on from its journalled offset."""
        self._more = False
        if self._next is not None:
            self._ended.append(base.Outcome(self._next, error=errors.Interrupted()))
            self._next = None
        self._crew.interrupt()
