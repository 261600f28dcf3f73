"""One call of `send`: takes files as they come, keeps many of them on their way over a few channels."""

from __future__ import annotations

import collections
import selectors
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, field

from nephos.lib import ports
from nephos.sync import errors
from nephos.sync.connections import base
from nephos.sync.connections.sftp.channel import Channel
from nephos.sync.connections.sftp.folders import Folders
from nephos.sync.connections.sftp.lobby import Lobby
from nephos.sync.connections.sftp.upload import Upload, Yard

_FILES_EACH = 64
_WINDOW_BYTES = 8 << 20  # on their way over one channel
_UNSENT_BYTES = 2 << 20
_ANOTHER_AT = 24  # files waiting on one channel that make a second worth its login
_SLICE_SECONDS = 0.25


@dataclass(slots=True)
class _Lane:
    """A channel and its uploads."""

    channel: Channel
    uploads: list[Upload] = field(default_factory=list)

    def pump(self) -> None:
        """Send as much as may be on its way."""
        channel = self.channel
        for upload in self.uploads:
            while upload.has_more and channel.in_flight_bytes < _WINDOW_BYTES and channel.unsent_bytes < _UNSENT_BYTES:
                upload.send_next()


class Shift:
    """Ends when there are no more items and all that were taken have an outcome."""

    def __init__(
        self, lobby: Lobby, folders: Folders, journal: base.TransferJournal, stop: ports.Waiter, hashing: Executor
    ) -> None:
        self._lobby = lobby
        self._stop = stop
        self._ended: collections.deque[base.Outcome] = collections.deque()
        self._yard = Yard(lobby.place, folders, journal, hashing, self._ended)
        self._lanes: list[_Lane] = []
        self._next: base.Item | None = None
        self._more = True

    def run(self, items: Iterable[base.Item]) -> Iterator[base.Outcome]:
        """Outcomes as they come."""
        waiting = iter(items)
        with selectors.DefaultSelector() as selector:
            try:
                while True:
                    self._fill(waiting, selector)
                    if self._ended:
                        yield from self._outcomes()
                        continue
                    if not self._more and self._next is None and not self._is_busy:
                        return
                    self._turn(selector)
            finally:
                for lane in self._lanes:
                    self._lobby.give_back(lane.channel)

    def _outcomes(self) -> Iterator[base.Outcome]:
        while self._ended:
            yield self._ended.popleft()

    @property
    def _is_busy(self) -> bool:
        return any(lane.uploads for lane in self._lanes) or bool(self._ended)

    def _fill(self, waiting: Iterator[base.Item], selector: selectors.BaseSelector) -> None:
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
            lane = self._free_lane(selector)
            if lane is None:
                return
            item, self._next = self._next, None
            upload = Upload(item, lane.channel, self._yard)
            if not upload.is_over:
                lane.uploads.append(upload)

    def _free_lane(self, selector: selectors.BaseSelector) -> _Lane | None:
        """The channel with the fewest files, if it can take one more; another login where that is worth it."""
        if not self._lanes:
            self._log_in(selector)
        least = min(self._lanes, key=lambda lane: (not lane.channel.ready, len(lane.uploads)), default=None)
        if least is None or not least.channel.ready:
            return None
        if len(self._lanes) == 1 and len(least.uploads) >= _ANOTHER_AT and self._lobby.has_room:
            self._log_in(selector)
        full = len(least.uploads) >= _FILES_EACH or least.channel.in_flight_bytes >= _WINDOW_BYTES
        return None if full else least

    def _log_in(self, selector: selectors.BaseSelector) -> None:
        try:
            channel = self._lobby.take()
        except errors.SyncError as error:
            self._refuse(error)
            return
        selector.register(channel.transport.socket, selectors.EVENT_READ | selectors.EVENT_WRITE, channel)
        self._lanes.append(_Lane(channel))

    def _refuse(self, error: errors.SyncError) -> None:
        """There is no login: that is the outcome of the file that needed one."""
        if self._next is not None and not any(lane.channel.ready for lane in self._lanes):
            self._ended.append(base.Outcome(self._next, error=error))
            self._next = None

    def _turn(self, selector: selectors.BaseSelector) -> None:
        for lane in self._lanes:
            lane.pump()
            lane.channel.write()
            wants = selectors.EVENT_WRITE if lane.channel.wants_to_write else 0
            selector.modify(lane.channel.transport.socket, selectors.EVENT_READ | wants, lane.channel)
        if not any(lane.channel.broken for lane in self._lanes) and not self._ended:
            for key, mask in selector.select(_SLICE_SECONDS):
                if mask & selectors.EVENT_READ:
                    key.data.read()
        for lane in list(self._lanes):
            lane.channel.check_silence()
            if lane.channel.broken is not None:
                self._lose(lane, lane.channel.broken, selector)
            else:
                lane.uploads = [upload for upload in lane.uploads if not upload.is_over]

    def _lose(self, lane: _Lane, error: errors.SyncError, selector: selectors.BaseSelector) -> None:
        self._lanes.remove(lane)
        selector.unregister(lane.channel.transport.socket)
        for upload in lane.uploads:
            upload.fail(error)
        self._refuse(error)
        self._lobby.drop(lane.channel)

    def _interrupt(self) -> None:
        """Stop at once: what is on its way is broken off, and goes on from its journalled offset."""
        self._more = False
        if self._next is not None:
            self._ended.append(base.Outcome(self._next, error=errors.Interrupted()))
            self._next = None
        for lane in self._lanes:
            if lane.uploads:
                lane.channel.give_up(errors.Interrupted())
