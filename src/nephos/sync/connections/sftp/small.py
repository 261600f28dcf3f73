"""A small file on its way: made, then content, time, disk and close in one packet, then renamed; three answers long."""

from __future__ import annotations

import hashlib
import os

from nephos.sync import errors
from nephos.sync.connections import base
from nephos.sync.connections.sftp import landing, opening, packets
from nephos.sync.connections.sftp.channel import Channel
from nephos.sync.connections.sftp.packets import Kind, Reply
from nephos.sync.connections.sftp.source import Source
from nephos.sync.connections.sftp.yard import Yard

MOST_BYTES = 64 * 1024  # bigger ones go from file to socket without being copied here


class Small:
    """Begins when it is made; at its end there is one outcome in the yard, whatever happens."""

    __slots__ = (
        "_channel",
        "_final",
        "_handle",
        "_hidden",
        "_intended",
        "_size",
        "_sum",
        "_yard",
        "is_over",
        "item",
    )

    has_more = False  # all of it is sent at once
    left_bytes = 0

    def __init__(self, item: base.Item, channel: Channel, yard: Yard) -> None:
        self.item = item
        self.is_over = self._intended = False
        self._channel = channel
        self._yard = yard
        self._handle = self._final = self._hidden = b""
        self._size = item.fingerprint.size_bytes
        self._sum = ""
        try:
            self._final = yard.place.path(item.path)
        except errors.NameRefused as error:
            self.fail(error)
        else:
            opening.Opening(channel, yard, item, str(item.id), named=self._named, opened=self._opened)

    def send_next(self, most: int) -> int:  # noqa: ARG002 - there is nothing more
        """Nothing."""
        return 0

    def fail(self, error: errors.SyncError) -> None:
        """It ends here, and leaves nothing behind that nobody would go on with."""
        if self.is_over:
            return
        self.is_over = True
        if self._channel.broken is None:
            if self._handle:
                self._channel.ask(Kind.CLOSE, packets.text(self._handle), _whatever)
            if self._hidden and not self._intended:
                self._channel.ask(Kind.REMOVE, packets.text(self._hidden), _whatever)
        self._yard.ended.append(base.Outcome(self.item, error=error))

    def _named(self, hidden: bytes) -> None:
        self._hidden = hidden

    def _opened(self, handle: bytes, error: errors.SyncError | None) -> None:
        self._handle = handle
        if error is not None:
            self.fail(error)
        else:
            self._send()

    def _send(self) -> None:
        try:
            content = self._content()
        except errors.SyncError as error:
            self.fail(error)
            return
        self._sum = hashlib.sha256(content).hexdigest()
        handle, self._handle = self._handle, b""
        self._channel.in_flight_bytes += self._size
        landing.Closing(self._channel, handle, self.item.fingerprint.mtime_ns, content=content, done=self._closed)

    def _content(self) -> bytes:
        """What was read is that version, if the file is still the same afterwards."""
        source = Source(self.item)
        content = source.read(self._size, 0)
        source.check()
        return content

    def _closed(self, error: errors.SyncError | None) -> None:
        self._channel.in_flight_bytes -= self._size
        if error is not None:
            self.fail(error)
        elif not self.is_over:
            names = (self._hidden, self._final)
            landing.Landing(self._channel, self.item, names, self._sum, note=self._intend, done=self._landed)

    def _intend(self) -> None:
        if not self._intended:
            self._intended = True
            self._yard.journal.intent(self.item, landing.intent(self.item, os.fsdecode(self._hidden)))

    def _landed(self, error: errors.SyncError | None) -> None:
        if error is not None:
            self.fail(error)
        elif not self.is_over:
            self.is_over = True
            self._yard.ended.append(landing.outcome(self.item, self._sum))


def _whatever(reply: Reply) -> None:
    """It was worth a try."""
