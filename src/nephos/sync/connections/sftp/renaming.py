"""Gives a whole file its final name: in one step where the server can, else by moving the older one aside.

An answer may be lost or wrong. That the hidden name is gone and the final one has our size means that it is done.
"""

from __future__ import annotations

from collections.abc import Callable

from nephos.sync import errors
from nephos.sync.connections.sftp import packets, refusals
from nephos.sync.connections.sftp.channel import Channel
from nephos.sync.connections.sftp.packets import Attributes, Kind, Reply, Status

Done = Callable[[errors.SyncError | None], None]


class Renaming:
    """`note` is called before a step that a crash could leave half done."""

    def __init__(
        self, channel: Channel, names: tuple[bytes, bytes], size: int, *, note: Callable[[], None], done: Done
    ) -> None:
        self._channel = channel
        self._hidden, self._final = names
        self._aside = self._hidden + b".old"
        self._size = size
        self._note = note
        self._done = done
        self._refusal: Reply | None = None
        self._there: Attributes | None = None
        self._at_once = channel.offers(packets.POSIX_RENAME)
        if self._at_once:
            channel.ask_extended(packets.POSIX_RENAME, _two(self._hidden, self._final), self._tried)
        else:
            self._rename(self._hidden, self._final, self._tried)

    def _tried(self, reply: Reply) -> None:
        if reply.status == Status.OK:
            self._done(None)
            return
        if self._at_once and reply.status == Status.UNSUPPORTED:
            self._at_once = False  # some offer what they cannot do
            self._rename(self._hidden, self._final, self._tried)
            return
        self._refusal = reply
        self._channel.ask(Kind.STAT, packets.text(self._final), self._looked_at_final)
        self._channel.ask(Kind.STAT, packets.text(self._hidden), self._looked_at_hidden)

    def _looked_at_final(self, reply: Reply) -> None:
        self._there = reply.attributes if reply.kind == Kind.ATTRIBUTES else None

    def _looked_at_hidden(self, reply: Reply) -> None:
        there, refusal = self._there, self._refusal
        if reply.status == Status.NO_SUCH_FILE and there is not None and there.bytes == self._size:
            self._done(None)
        elif there is not None and there.is_folder:
            # An empty one is what is left of files that were removed there; a server removes no other.
            self._channel.ask(Kind.RMDIR, packets.text(self._final), self._removed_folder)
        elif there is not None and reply.kind == Kind.ATTRIBUTES and not self._at_once:
            self._note()
            self._channel.ask(Kind.REMOVE, packets.text(self._aside), lambda _: None)
            self._rename(self._final, self._aside, self._moved_aside)
        elif refusal is not None and refusal.status == Status.NO_SUCH_FILE and reply.kind == Kind.ATTRIBUTES:
            self._done(errors.InTheWay("A file is in the way of its folder at the destination."))
        elif refusal is not None:
            self._done(refusals.of(refusal, "rename"))

    def _removed_folder(self, reply: Reply) -> None:
        if reply.status == Status.OK:
            self._rename(self._hidden, self._final, self._tried)
        else:
            self._done(errors.InTheWay("There is a folder of this name at the destination."))

    def _moved_aside(self, reply: Reply) -> None:
        if reply.status != Status.OK:
            self._done(refusals.of(reply, "move the older version aside"))
        else:
            self._rename(self._hidden, self._final, self._replaced)

    def _replaced(self, reply: Reply) -> None:
        if reply.status == Status.OK:
            self._channel.ask(Kind.REMOVE, packets.text(self._aside), lambda _: self._done(None))
        else:
            error = refusals.of(reply, "rename")
            self._rename(self._aside, self._final, lambda _: self._done(error))

    def _rename(self, old: bytes, new: bytes, then: Callable[[Reply], None]) -> None:
        self._channel.ask(Kind.RENAME, _two(old, new), then)


def _two(old: bytes, new: bytes) -> bytes:
    return packets.text(old) + packets.text(new)
