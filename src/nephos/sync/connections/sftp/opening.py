"""Makes the hidden file that is written: always a new one, never one that somebody else still has open.

A login that was given up may have requests on their way that its server carries out later. None of them can do harm: a
late open fails, since the file is there; a late write goes to a file that has no name any more; and a late rename finds
nothing, since a name that was in the way is left for another one.
"""

from __future__ import annotations

from collections.abc import Callable

from nephos.lib import ids
from nephos.sync import errors
from nephos.sync.connections import base
from nephos.sync.connections.sftp import packets, refusals
from nephos.sync.connections.sftp.channel import Channel
from nephos.sync.connections.sftp.packets import Kind, Mode, Reply, Status
from nephos.sync.connections.sftp.yard import Yard

# Those who do not know EXCLUSIVE shall at least not leave the end of a longer file there.
_NEW = packets.u32(Mode.WRITE | Mode.CREATE | Mode.EXCLUSIVE | Mode.TRUNCATE) + packets.NO_ATTRIBUTES

Name = Callable[[bytes], None]
Opened = Callable[[bytes, errors.SyncError | None], None]


class Opening:
    """`named` is told a name before it is used, `opened` the handle, or why there is none."""

    __slots__ = ("_channel", "_hidden", "_item", "_named", "_opened", "_tried_folders", "_yard")

    def __init__(
        self, channel: Channel, yard: Yard, item: base.Item, transfer: str, *, named: Name, opened: Opened
    ) -> None:
        self._channel = channel
        self._yard = yard
        self._item = item
        self._named = named
        self._opened = opened
        self._tried_folders = False
        self._hidden = b""
        yard.folders.need(channel, item.path)
        self._ask(transfer)

    def _ask(self, transfer: str) -> None:
        self._hidden = self._yard.place.hidden(self._item.path, transfer)
        self._named(self._hidden)
        self._open()

    def _open(self) -> None:
        self._channel.ask(Kind.OPEN, packets.text(self._hidden) + _NEW, self._answered)

    def _answered(self, reply: Reply) -> None:
        if reply.kind == Kind.HANDLE:
            self._opened(reply.text, None)
        elif reply.status == Status.NO_SUCH_FILE and not self._tried_folders:
            self._tried_folders = True
            self._yard.folders.forget(self._item.path)
            self._yard.folders.need(self._channel, self._item.path)
            self._open()
        elif reply.status == Status.NO_SUCH_FILE:
            folder = self._yard.place.below(b"")
            self._channel.ask(Kind.STAT, packets.text(folder), lambda found: self._looked_at_base(found, reply))
        elif reply.status == Status.FAILURE:
            self._channel.ask(Kind.STAT, packets.text(self._hidden), lambda found: self._looked(found, reply))
        else:
            self._opened(b"", refusals.of(reply, "make the file"))

    def _looked_at_base(self, found: Reply, refusal: Reply) -> None:
        """One folder that cannot be made is no reason to leave the whole destination alone."""
        if found.kind == Kind.ATTRIBUTES:
            self._opened(b"", errors.InTheWay("A file is in the way of its folder at the destination."))
        else:
            self._opened(b"", refusals.of(refusal, "make the file"))

    def _looked(self, found: Reply, refusal: Reply) -> None:
        """Version 3 does not say that a file is in the way."""
        if found.kind != Kind.ATTRIBUTES:
            self._opened(b"", refusals.of(refusal, "make the file"))
            return
        self._channel.ask(Kind.REMOVE, packets.text(self._hidden), lambda _: None)
        self._ask(ids.new())
