"""One big file on its way: hidden name, all bytes by one login or several, then the last steps."""

from __future__ import annotations

import os
from collections.abc import Callable

from nephos.lib import ids
from nephos.sync import errors
from nephos.sync.connections import base
from nephos.sync.connections.sftp import hashing, landing, opening, packets, reading, refusals
from nephos.sync.connections.sftp.channel import Channel, Then
from nephos.sync.connections.sftp.packets import Kind, Mode, Reply, Status
from nephos.sync.connections.sftp.pieces import Pieces
from nephos.sync.connections.sftp.source import Source
from nephos.sync.connections.sftp.strand import Helper, Strand
from nephos.sync.connections.sftp.yard import Yard

_JOURNALLED_BYTES = 8 << 20
"""Above this a file is worth going on with; below it is sent again. Its offset is noted each time as much has come."""

_COMPARED_BYTES = 256 * 1024
_AHEAD_BYTES = 32 << 20
"""So far several logins may run ahead of the first hole, and so much is sent again after a crash at most."""


class Upload:
    """Begins when it is made; at its end there is one outcome in the yard, whatever happens."""

    def __init__(self, item: base.Item, channel: Channel, yard: Yard) -> None:
        self.item = item
        self.is_over = False
        self.pieces = Pieces(item.fingerprint.size_bytes, ahead=_AHEAD_BYTES)
        self._channel = channel
        self._yard = yard
        self._strand = Strand(self, channel, b"")
        self._asked = {channel}
        self._helpers: set[Helper] = set()
        self._source: Source | None = None
        self._hash: hashing.Sum | None = None
        self._final = self._hidden = b""
        self._intended = self._closing = False
        self._noted = 0
        self._is_noted = item.grown or self.pieces.size > _JOURNALLED_BYTES
        self._sum = ""
        self._guard(self._begin)

    @property
    def source(self) -> Source:
        """The file. Raises SourceGone if it is not open."""
        if self._source is None:
            raise errors.SourceGone
        return self._source

    @property
    def has_more(self) -> bool:
        return self._strand.has_more

    @property
    def left_bytes(self) -> int:
        return 0 if self.is_over else self.pieces.left

    def has_work_for(self, channel: Channel) -> bool:
        """Whether another login could carry a share."""
        return bool(self._strand.handle) and not self.is_over and channel not in self._asked

    def send_next(self, most: int) -> int:
        """One piece more."""
        return self._strand.send_next(most)

    def help(self, channel: Channel) -> Helper:
        """Another login carries a share."""
        self._asked.add(channel)
        helper = Helper(self, channel, self._hidden, self._helper_ended)
        self._helpers.add(helper)
        return helper

    def fail(self, error: errors.SyncError) -> None:
        """It ends here; what a later attempt can go on with stays."""
        if self.is_over:
            return
        self.is_over = True
        self._strand.let_go()
        self._let_go()
        for helper in list(self._helpers):
            helper.close()
        if self._channel.broken is None:
            self._tidy(error)
        self._yard.ended.append(base.Outcome(self.item, error=error))

    # What an earlier attempt left

    def _begin(self) -> None:
        self._final = self._yard.place.path(self.item.path)
        self._source = Source(self.item)
        self._source.check()
        self._hash = hashing.Sum(self._yard.hashing, self._source, self.pieces.size)
        if self._is_noted:
            self._resume_or_begin()
        else:
            self._open_new(str(self.item.id))

    def _resume_or_begin(self) -> None:
        intent = self._yard.journal.unfinished(self.item)
        if intent is None:
            self._open_new(self.item.transfer)
            return
        self._hidden = os.fsencode(intent.handle)
        if intent.fingerprint == self.item.fingerprint and intent.key == self.item.path and intent.offset:
            self._intended = True
            self._ask(Kind.STAT, packets.text(self._hidden), lambda reply: self._found(reply, intent))
        else:
            self._begin_anew()

    def _begin_anew(self) -> None:
        """What is there is of no use, and somebody may still have it open."""
        self._channel.ask(Kind.REMOVE, packets.text(self._hidden), lambda _: None)
        self._intended = False
        self._open_new(ids.new())

    def _open_new(self, transfer: str) -> None:
        opening.Opening(
            self._channel,
            self._yard,
            self.item,
            transfer,
            named=self._named,
            opened=lambda handle, error: self._guard(self._opened, handle, error),
        )

    def _named(self, hidden: bytes) -> None:
        self._hidden = hidden
        if self._is_noted:
            self._intended = False
            self._intend()

    def _intend(self) -> None:
        if not self._intended:
            self._intended = True
            self._yard.journal.intent(self.item, landing.intent(self.item, os.fsdecode(self._hidden)))

    def _found(self, reply: Reply, intent: base.Intent) -> None:
        there = reply.attributes.bytes if reply.kind == Kind.ATTRIBUTES else None
        if there is not None and intent.offset <= min(there, self.pieces.size):
            self._compare(intent.offset)
        elif reply.status == Status.NO_SUCH_FILE and intent.offset == self.pieces.size:
            self._ask(Kind.STAT, packets.text(self._final), self._found_final)
        else:
            self._begin_anew()

    def _compare(self, offset: int) -> None:
        """The last piece that counts as there must be what it is here."""
        start = max(0, offset - _COMPARED_BYTES)
        wanted = self.source.read(offset - start, start)
        came = bytearray()

        def done(error: errors.SyncError | None) -> None:
            if error is None and bytes(came) == wanted:
                self.pieces = Pieces(self.pieces.size, start=offset, ahead=_AHEAD_BYTES)
                self._noted = offset
                body = packets.text(self._hidden) + packets.u32(Mode.WRITE) + packets.NO_ATTRIBUTES
                self._ask(Kind.OPEN, body, self._reopened)
            else:
                self._guard(self._begin_anew)

        reading.Reading(self._channel, self._hidden, span=(start, offset), sink=came.extend, done=done)

    def _found_final(self, reply: Reply) -> None:
        """All was sent and the hidden name is gone: then it was renamed, though the answer never came."""
        if reply.kind == Kind.ATTRIBUTES and reply.attributes.bytes == self.pieces.size:
            self._take_sum()
            self._landed(None)
        else:
            self._begin_anew()

    # The bytes

    def _reopened(self, reply: Reply) -> None:
        if reply.kind == Kind.HANDLE:
            self._opened(reply.text, None)
        else:
            raise refusals.of(reply, "open the file again")

    def _opened(self, handle: bytes, error: errors.SyncError | None) -> None:
        if error is not None:
            raise error
        self._strand.handle = handle
        self._finish_if_done()

    def piece_arrived(self) -> None:
        """How far it has come is noted now and then."""
        there = self.pieces.there
        if self._intended and (there - self._noted >= _JOURNALLED_BYTES or self.pieces.is_done):
            self._noted = there
            self._yard.journal.offset(self.item, there)
        self._guard(self._finish_if_done)

    # The end

    def _finish_if_done(self) -> None:
        if not self.pieces.is_done or self._closing:
            return
        if self._helpers:
            for helper in list(self._helpers):
                helper.close()
            return
        self._closing = True
        self._take_sum()
        handle, self._strand.handle = self._strand.handle, b""
        mtime_ns = self.item.fingerprint.mtime_ns
        landing.Closing(self._channel, handle, mtime_ns, done=lambda error: self._guard(self._closed, error))

    def _helper_ended(self, helper: Helper, reply: Reply) -> None:
        self._helpers.discard(helper)
        if not self.is_over:
            self._guard(self._check_close, reply)

    def _check_close(self, reply: Reply) -> None:
        if reply.status != Status.OK:
            raise refusals.of_write(reply)
        self._finish_if_done()

    def _take_sum(self) -> None:
        """The sum is that of what was sent, since the file is what it was before both were read."""
        if self._hash is not None:
            self._sum = self._hash.result()
        self.source.check()

    def _closed(self, error: errors.SyncError | None) -> None:
        if error is not None:
            raise error
        if self._intended and self.item.verify is base.Verify.READ_BACK:
            self._yard.journal.verifying(self.item)
        landing.Landing(
            self._channel,
            self.item,
            (self._hidden, self._final),
            self._sum,
            note=self._intend,
            done=lambda error: self._guard(self._landed, error),
        )

    def _landed(self, error: errors.SyncError | None) -> None:
        if error is not None:
            raise error
        self._let_go()
        self.is_over = True
        self._yard.ended.append(landing.outcome(self.item, self._sum))

    # Trouble

    def _ask(self, kind: Kind, body: bytes, then: Then) -> None:
        self._channel.ask(kind, body, lambda reply: self._guard(then, reply))

    def _guard(self, step: Callable[..., None], *values: object) -> None:
        if self.is_over:
            return
        try:
            step(*values)
        except errors.SyncError as error:
            self.fail(error)
        except packets.Malformed as error:
            self._channel.give_up(errors.Offline(f"The server answers with something that is no SFTP: {error}."))

    def _tidy(self, error: errors.SyncError) -> None:
        """Leave nothing behind that nobody would go on with."""
        if self._strand.handle:
            self._channel.ask(Kind.CLOSE, packets.text(self._strand.handle), lambda _: None)
        if self._hidden and (not self._intended or isinstance(error, errors.Mismatch | errors.SourceChanged)):
            self._channel.ask(Kind.REMOVE, packets.text(self._hidden), lambda _: None)
            if self._intended:
                self._yard.journal.forget(self.item)

    def _let_go(self) -> None:
        if self._hash is not None:
            self._hash.stop()
        self._hash = self._source = None
