"""The logins of one sending: how many are worth having, who carries what."""

from __future__ import annotations

import contextlib
import selectors
from dataclasses import dataclass, field

from nephos.lib import clock, ports
from nephos.sync import errors
from nephos.sync.connections import base
from nephos.sync.connections.sftp import channel as channels
from nephos.sync.connections.sftp.channel import Channel
from nephos.sync.connections.sftp.lobby import Lobby
from nephos.sync.connections.sftp.upload import Upload
from nephos.sync.connections.sftp.yard import Work

_FILES_EACH = 64
_FILES_FAR = 256  # on a long line, where each waits for three answers
_WINDOW_BYTES = 8 << 20  # on their way over one channel
_UNSENT_BYTES = 2 << 20
_PACED_BYTES = 32 * 1024  # a piece, where it is fed slower than it goes
_SHARED_BYTES = 8 << 20  # left of a file that makes another login worth having
_LONG_SECONDS = 2.0  # of work that make a second login worth having, however near the server
_MOST_NEAR, _MOST_FAR = 2, 4
_SETTLE_SECONDS = 3.0
_HIRE_SECONDS = 0.02  # between two looks at whether more logins are worth having


@dataclass(slots=True)
class Lane:
    """A channel and what it carries."""

    channel: Channel
    works: list[Work] = field(default_factory=list)
    bigs: list[Work] = field(default_factory=list)  # those of them that send piece by piece
    left_bytes: int = 0  # of those
    mask: int = 0

    @property
    def is_full(self) -> bool:
        most = _FILES_FAR if self.channel.is_far else _FILES_EACH
        on_their_way = max(self.channel.in_flight_bytes, self.left_bytes)
        return len(self.works) >= most or on_their_way >= _WINDOW_BYTES

    @property
    def mask_wanted(self) -> int:
        """While only big files are sent, their answers wait until more can be sent: each alone is not worth waking."""
        if not self.channel.wants_to_write:
            return selectors.EVENT_READ
        if self.bigs and len(self.bigs) == len(self.works):
            return selectors.EVENT_WRITE
        return selectors.EVENT_READ | selectors.EVENT_WRITE

    def take(self, work: Work) -> None:
        """Carry this too."""
        if not work.is_over:
            self.works.append(work)
            if work.left_bytes:
                self.bigs.append(work)
                self.left_bytes += work.left_bytes

    def tidy(self) -> None:
        """Forget what ended."""
        self.works = [work for work in self.works if not work.is_over]
        if self.bigs:
            self.bigs = [work for work in self.bigs if not work.is_over]
            self.left_bytes = sum(work.left_bytes for work in self.bigs)

    def pump(self, paced: base.Paced | None) -> None:
        """Send as much as may be on its way."""
        channel = self.channel
        most = _PACED_BYTES if paced is not None else channel.write_bytes
        for work in self.bigs:
            while work.has_more and channel.in_flight_bytes < _WINDOW_BYTES and channel.unsent_bytes < _UNSENT_BYTES:
                sent = work.send_next(most)
                if paced is not None:
                    channel.write()
                    paced.take(sent)
        channel.write()


class _Patience:
    """A stop that comes by itself."""

    def __init__(self, seconds: float) -> None:
        self._until = clock.monotonic() + seconds

    def is_set(self) -> bool:
        return clock.monotonic() > self._until

    def wait(self, timeout: float | None = None) -> bool:
        base.NEVER.wait(timeout)
        return self.is_set()


def _settle(channel: Channel) -> None:
    """What was asked last, to remove what nobody goes on with, shall not be lost with the login."""
    with contextlib.suppress(errors.SyncError):
        channels.wait(channel, lambda: channel.is_idle, _Patience(_SETTLE_SECONDS))


class Crew:
    """For one thread."""

    def __init__(self, lobby: Lobby, stop: ports.Waiter) -> None:
        self._lobby = lobby
        self._paced = stop if isinstance(stop, base.Paced) else None  # asked once: protocols are slow to ask for
        self._lanes: list[Lane] = []
        self._selector = selectors.DefaultSelector()
        self._began_at = self._hire_at = clock.monotonic()
        self._is_crowded = False

    @property
    def _pace(self) -> base.Paced | None:
        return self._paced if self._paced is not None and self._paced.is_limited else None

    @property
    def is_busy(self) -> bool:
        return any(lane.works for lane in self._lanes)

    @property
    def is_ready(self) -> bool:
        """Whether somebody is logged in."""
        return any(lane.channel.ready for lane in self._lanes)

    def pace(self, count: int) -> None:
        """So many bytes were taken at once; returns when more may go."""
        if self._pace is not None:
            self._pace.take(count)

    def free_lane(self) -> Lane | None:
        """The one with the fewest files, if it can take one more. Raises SyncError if there can be no login."""
        if not self._lanes:
            self._log_in()
        ready = [lane for lane in self._lanes if lane.channel.ready and not lane.is_full]
        return min(ready, key=lambda lane: len(lane.works), default=None)

    def hire(self) -> None:
        """More logins where there is much to do: on a long line at once, else one more when it lasts."""
        now = clock.monotonic()
        if now < self._hire_at or not any(lane.channel.ready for lane in self._lanes):
            return
        self._hire_at = now + _HIRE_SECONDS
        uploads = [work for lane in self._lanes for work in lane.bigs if isinstance(work, Upload)]
        try:
            for _ in range(len(self._lanes), self._wanted(uploads)):
                if self._lobby.has_room and not self._is_crowded:
                    self._log_in()
        except errors.SyncError:
            self._is_crowded = True
        if len(self._lanes) > 1:
            self._share(uploads)

    def _wanted(self, uploads: list[Upload]) -> int:
        """How many logins are worth having."""
        shares = sum(upload.left_bytes // _SHARED_BYTES for upload in uploads)
        is_long = clock.monotonic() - self._began_at > _LONG_SECONDS
        if any(lane.channel.is_far for lane in self._lanes):
            most = _MOST_FAR
        elif is_long:
            most = _MOST_NEAR
        else:
            return 1
        more = 1 if is_long and all(lane.is_full for lane in self._lanes) else 0
        return min(most, max(1 + shares, len(self._lanes) + more))

    def pump(self, seconds: float) -> None:
        """Send and receive once."""
        for lane in self._lanes:
            lane.pump(self._pace)
            wanted = lane.mask_wanted
            if wanted != lane.mask:
                lane.mask = wanted
                self._selector.modify(lane.channel.transport.socket, wanted, lane)
        if any(lane.channel.broken for lane in self._lanes):
            return
        woken = self._selector.select(seconds)
        for lane in self._lanes if not woken else [key.data for key, _ in woken]:
            lane.channel.read()

    def dismiss(self) -> list[errors.SyncError]:
        """Let go of what ended and of logins that broke; why they did."""
        found = []
        for lane in list(self._lanes):
            lane.channel.check_silence()
            if lane.channel.broken is not None:
                found.append(lane.channel.broken)
                self._lose(lane, lane.channel.broken)
            elif lane.works:
                lane.tidy()
        return found

    def interrupt(self) -> None:
        """Break off what is on its way."""
        for lane in self._lanes:
            if lane.works:
                lane.channel.give_up(errors.Interrupted())

    def close(self) -> None:
        """Logins that owe nothing are kept for the next sending."""
        self._selector.close()
        for lane in self._lanes:
            if lane.channel.broken is None and all(work.is_over for work in lane.works):
                _settle(lane.channel)
            self._lobby.give_back(lane.channel)

    def _log_in(self) -> None:
        lane = Lane(self._lobby.take(), mask=selectors.EVENT_READ | selectors.EVENT_WRITE)
        self._selector.register(lane.channel.transport.socket, lane.mask, lane)
        self._lanes.append(lane)

    def _share(self, uploads: list[Upload]) -> None:
        for lane in self._lanes:
            for upload in uploads:
                worth_it = upload.left_bytes >= _SHARED_BYTES and lane.channel.ready
                if worth_it and upload.has_work_for(lane.channel):
                    lane.take(upload.help(lane.channel))

    def _lose(self, lane: Lane, error: errors.SyncError) -> None:
        """A further login that a server does not give is done without."""
        self._is_crowded |= len(self._lanes) > 1 and not lane.channel.ready
        self._lanes.remove(lane)
        self._selector.unregister(lane.channel.transport.socket)
        for work in lane.works:
            work.fail(error)
        self._lobby.drop(lane.channel)
