"""A file on a server that grows behind its writer, under its hidden name."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Iterator

from nephos.lib import ports
from nephos.sync import errors
from nephos.sync.connections import base
from nephos.sync.connections.prefix import Prefixes
from nephos.sync.connections.sftp import channel as channels
from nephos.sync.connections.sftp import landing, packets, refusals
from nephos.sync.connections.sftp.channel import Channel
from nephos.sync.connections.sftp.folders import Folders
from nephos.sync.connections.sftp.packets import Kind, Mode, Reply, Status
from nephos.sync.connections.sftp.place import Place
from nephos.sync.connections.sftp.source import Source

STEP_BYTES = 1 << 20
_MOST_BYTES = 32 << 20  # a call
_WINDOW = 32  # pieces on their way


@dataclasses.dataclass(frozen=True, slots=True)
class Behind:
    """Where files grow, and what is remembered of them."""

    place: Place
    folders: Folders
    prefixes: Prefixes

    def grow(self, channel: Channel, item: base.Item, *, journal: base.TransferJournal, stop: ports.Waiter) -> int:
        """Append what is new; the offset is noted when the server acknowledged all, with the sum of all before it."""
        source = Source(item)
        intent = self._unfinished(channel, item, journal, stop) or self._begin(item, journal)
        end = min(item.fingerprint.size_bytes, intent.offset + _MOST_BYTES)
        self.folders.need(channel, item.path)
        handle = self._open(channel, item, os.fsencode(intent.handle), stop)
        try:
            _Pieces(channel, handle, source).send(intent.offset, end, stop)
            if channel.offers(packets.FSYNC):
                body = packets.text(packets.FSYNC) + packets.text(handle)
                _check(channels.answer(channel, Kind.EXTENDED, body, stop), Status.UNSUPPORTED)
        finally:
            if channel.broken is None:
                channels.answer(channel, Kind.CLOSE, packets.text(handle), base.NEVER)
        journal.offset(item, end, self.prefixes.sha256(item.id, source.handle, end, stop))
        return end

    def adopted(
        self, items: Iterable[base.Item], *, journal: base.TransferJournal, stop: ports.Waiter
    ) -> Iterator[base.Item]:
        """Items on their way to be sent; of those that grew, what went up is kept if they still begin with it."""
        for item in items:
            if item.grown:
                self._adopt(item, journal, stop)
            yield item

    def abandon(self, channel: Channel, item: base.Item, *, journal: base.TransferJournal, stop: ports.Waiter) -> None:
        """Remove what went up."""
        intent = journal.unfinished(item)
        if intent is not None:
            channels.answer(channel, Kind.REMOVE, packets.text(os.fsencode(intent.handle)), stop)
            journal.forget(item)

    def _adopt(self, item: base.Item, journal: base.TransferJournal, stop: ports.Waiter) -> None:
        intent = journal.unfinished(item)
        if intent is None or not intent.prefix_sha256 or intent.key != item.path:
            return
        try:
            source = Source(item)
            if Prefixes().sha256(item.id, source.handle, intent.offset, stop) == intent.prefix_sha256:
                journal.adopt(item, dataclasses.replace(intent, fingerprint=item.fingerprint))
        except errors.SyncError:
            return  # whatever it is shows when the file is sent

    def _unfinished(
        self, channel: Channel, item: base.Item, journal: base.TransferJournal, stop: ports.Waiter
    ) -> base.Intent | None:
        intent = journal.unfinished(item)
        if intent is None:
            return None
        if intent.key == item.path and intent.offset <= item.fingerprint.size_bytes:
            if not intent.offset:
                return intent
            found = channels.answer(channel, Kind.STAT, packets.text(os.fsencode(intent.handle)), stop)
            if found.kind == Kind.ATTRIBUTES and (found.attributes.bytes or 0) >= intent.offset:
                return intent
        self.abandon(channel, item, journal=journal, stop=stop)
        return None

    def _begin(self, item: base.Item, journal: base.TransferJournal) -> base.Intent:
        _, place = self.place.names(item.path, item.transfer)
        intent = landing.intent(item, os.fsdecode(place))
        journal.intent(item, intent)
        return intent

    def _open(self, channel: Channel, item: base.Item, place: bytes, stop: ports.Waiter) -> bytes:
        body = packets.text(place) + packets.u32(Mode.WRITE | Mode.CREATE) + packets.NO_ATTRIBUTES
        found = channels.answer(channel, Kind.OPEN, body, stop)
        if found.status == Status.NO_SUCH_FILE:
            self.folders.forget(item.path)
            self.folders.need(channel, item.path)
            found = channels.answer(channel, Kind.OPEN, body, stop)
        if found.kind != Kind.HANDLE:
            raise refusals.of(found, "make the file")
        return found.text


class _Pieces:
    """Writes of one file, a window of them on their way."""

    def __init__(self, channel: Channel, handle: bytes, source: Source) -> None:
        self._channel, self._handle, self._source = channel, handle, source
        self._open = 0
        self._trouble: errors.SyncError | None = None

    def send(self, start: int, end: int, stop: ports.Waiter) -> None:
        """Returns when all of it is acknowledged."""
        at = start
        while at < end and self._trouble is None:
            block = self._source.read(min(self._channel.write_bytes, end - at), at)
            self._channel.ask(Kind.WRITE, packets.write(self._handle, at, len(block)) + block, self._answered)
            self._open += 1
            at += len(block)
            base.pace(stop, len(block))
            channels.wait(self._channel, lambda: self._open < _WINDOW, stop)
        channels.wait(self._channel, lambda: not self._open, stop)
        if self._trouble is not None:
            raise self._trouble

    def _answered(self, reply: Reply) -> None:
        self._open -= 1
        if reply.status != Status.OK and self._trouble is None:
            self._trouble = refusals.of_write(reply)


def _check(reply: Reply, *besides: Status) -> None:
    if reply.status not in {Status.OK, *besides}:
        raise refusals.of_write(reply)
