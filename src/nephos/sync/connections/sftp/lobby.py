"""Logins that are open and idle, lent to one thread at a time; never many, since servers drop what comes in crowds."""

from __future__ import annotations

import select
import threading

from nephos.lib import ports
from nephos.sync.connections.sftp import channel as channels
from nephos.sync.connections.sftp.channel import Channel
from nephos.sync.connections.sftp.place import Place
from nephos.sync.connections.sftp.transport import Kind, Login

_MOST = 4


class Lobby:
    """For several threads."""

    def __init__(self, kind: Kind, login: Login) -> None:
        self._kind = kind
        self._login = login
        self._idle: list[Channel] = []
        self._lent: set[Channel] = set()
        self._lock = threading.Lock()

    @property
    def place(self) -> Place:
        return self._login.place

    @property
    def has_room(self) -> bool:
        """Whether one more login is fine. The first of a sending is always let in."""
        return len(self._lent) + len(self._idle) < _MOST

    def take(self) -> Channel:
        """An idle one, else one that begins to log in. Raises SyncError."""
        with self._lock:
            while self._idle:
                channel = self._idle.pop()
                if _is_alive(channel):
                    self._lent.add(channel)
                    return channel
                channel.close()
        channel = Channel(self._kind.connect(self._login))
        with self._lock:
            self._lent.add(channel)
        return channel

    def ready(self, stop: ports.Waiter) -> Channel:
        """One that is logged in. Raises SyncError."""
        channel = self.take()
        try:
            channels.wait(channel, lambda: channel.ready, stop)
        except BaseException:
            self.drop(channel)
            raise
        return channel

    def give_back(self, channel: Channel) -> None:
        """Done with it; one that owes answers is of no more use."""
        with self._lock:
            self._lent.discard(channel)
            if channel.broken is None and channel.is_idle:
                self._idle.append(channel)
                return
        channel.close()

    def drop(self, channel: Channel) -> None:
        """It broke."""
        with self._lock:
            self._lent.discard(channel)
        channel.close()

    def close(self) -> None:
        """Log out everywhere."""
        with self._lock:
            idle, self._idle = self._idle, []
        for channel in idle:
            channel.close()


def _is_alive(channel: Channel) -> bool:
    """Nobody speaks to one who rests, unless to hang up."""
    readable, _, _ = select.select([channel.transport.socket], [], [], 0)
    return channel.broken is None and not readable
