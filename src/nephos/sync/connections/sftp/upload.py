"""One file on its way over one channel: hidden name, all bytes, time, disk, proof, final name."""

from __future__ import annotations

import collections
import contextlib
import hashlib
import os
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass

from nephos.sync import errors, fingerprints
from nephos.sync import ports as sync_ports
from nephos.sync.connections import base, hidden
from nephos.sync.connections.sftp import hashing, packets, reading, refusals, renaming
from nephos.sync.connections.sftp.channel import Channel, Then
from nephos.sync.connections.sftp.folders import Folders
from nephos.sync.connections.sftp.packets import Kind, Mode, Reply, Status
from nephos.sync.connections.sftp.place import Place
from nephos.sync.states import Proof

_JOURNALLED_BYTES = 8 << 20
"""Above this a file is worth going on with; below it is sent again. Its offset is noted each time as much has come."""

_COMPARED_BYTES = 256 * 1024
_NOT_YET = -1


@dataclass(frozen=True, slots=True)
class Yard:
    """What all uploads of one sending share."""

    place: Place
    folders: Folders
    journal: base.TransferJournal
    hashing: Executor
    ended: collections.deque[base.Outcome]


@dataclass(slots=True)
class _Write:
    """A piece that was sent."""

    end: int
    bytes: int
    answered: bool = False
    acknowledged: bool = False


class Upload:
    """Begins when it is made; at its end there is one outcome in the yard, whatever happens."""

    def __init__(self, item: base.Item, channel: Channel, yard: Yard) -> None:
        self.item = item
        self.is_over = False
        self._channel = channel
        self._yard = yard
        self._size = item.fingerprint.size_bytes
        self._source = -1
        self._handle = b""
        self._final = self._hidden = b""
        self._retried = False
        self._intended = False
        self._sum = ""
        self._hash = hashing.Sum(yard.hashing)
        self._sent = self._acknowledged = self._noted = 0
        self._writes: collections.deque[_Write] = collections.deque()
        self._closing = _NOT_YET
        self._guard(self._begin)

    @property
    def has_more(self) -> bool:
        """Whether there are bytes to send now."""
        return not self.is_over and bool(self._handle) and self._sent < self._size and self._source >= 0

    def send_next(self) -> None:
        """One piece more."""
        self._guard(self._send_piece)

    def fail(self, error: errors.SyncError) -> None:
        """It ends here; what a later attempt can go on with stays."""
        if not self.is_over:
            self._release()
            self._channel.in_flight_bytes -= sum(write.bytes for write in self._writes if not write.answered)
            if self._channel.broken is None:
                self._tidy(error)
            self.is_over = True
            self._yard.ended.append(base.Outcome(self.item, error=error))

    # The source

    def _begin(self) -> None:
        path = self.item.path
        self._final = self._yard.place.path(path)
        self._source = _open(self.item)
        self._check_source()
        self._yard.folders.need(self._channel, path)
        self._call_hidden(str(self.item.id))
        if self._size > _JOURNALLED_BYTES:
            self._resume_or_intend()
        else:
            self._open(Mode.WRITE | Mode.CREATE | Mode.TRUNCATE)

    def _call_hidden(self, transfer: str) -> None:
        folder, _, name = self.item.path.rpartition("/")
        chosen = hidden.name(name, transfer)
        self._hidden = self._yard.place.path(f"{folder}/{chosen}" if folder else chosen)

    def _check_source(self) -> None:
        if self._source >= 0 and fingerprints.of(os.fstat(self._source)) != self.item.fingerprint:
            raise errors.SourceChanged

    # What an earlier attempt left

    def _resume_or_intend(self) -> None:
        intent = self._yard.journal.unfinished(self.item)
        if intent is not None and intent.fingerprint == self.item.fingerprint and intent.key == self.item.path:
            self._hidden = os.fsencode(intent.handle)
            self._intended = True
            self._ask(Kind.STAT, packets.text(self._hidden), lambda reply: self._found(reply, intent))
            return
        if intent is not None:
            self._channel.ask(Kind.REMOVE, packets.text(os.fsencode(intent.handle)), lambda _: None)
        self._call_hidden(self.item.transfer)
        self._intend()
        self._open(Mode.WRITE | Mode.CREATE | Mode.TRUNCATE)

    def _intend(self) -> None:
        intent = base.Intent(
            transfer=self.item.transfer,
            fingerprint=self.item.fingerprint,
            key=self.item.path,
            handle=os.fsdecode(self._hidden),
        )
        self._yard.journal.intent(self.item, intent)
        self._intended = True

    def _found(self, reply: Reply, intent: base.Intent) -> None:
        there = reply.attributes.bytes if reply.kind == Kind.ATTRIBUTES else None
        if there is not None and 0 < intent.offset <= min(there, self._size):
            self._compare(intent.offset)
        elif reply.status == Status.NO_SUCH_FILE and intent.offset == self._size:
            self._ask(Kind.STAT, packets.text(self._final), self._found_final)
        else:
            self._open(Mode.WRITE | Mode.CREATE | Mode.TRUNCATE)

    def _compare(self, offset: int) -> None:
        """The last piece that counts as there must be what it is here."""
        start = max(0, offset - _COMPARED_BYTES)
        wanted = sync_ports.read_at(self._source, offset - start, start)
        came = bytearray()

        def done(error: errors.SyncError | None) -> None:
            if error is None and bytes(came) == wanted:
                self._sent = self._acknowledged = self._noted = offset
                self._hash.begin_at(self._source, offset)
                self._guard(self._open, Mode.WRITE)
            else:
                self._guard(self._open, Mode.WRITE | Mode.CREATE | Mode.TRUNCATE)

        reading.Reading(self._channel, self._hidden, span=(start, offset), sink=came.extend, done=done)

    def _found_final(self, reply: Reply) -> None:
        """All was sent and the hidden name is gone: then it was renamed, though the answer never came."""
        if reply.kind == Kind.ATTRIBUTES and reply.attributes.bytes == self._size:
            self._hash.begin_at(self._source, self._size)
            self._sum = self._hash.result()
            self._renamed(None)
        else:
            self._open(Mode.WRITE | Mode.CREATE | Mode.TRUNCATE)

    # The bytes

    def _open(self, mode: Mode) -> None:
        body = packets.text(self._hidden) + packets.u32(mode) + packets.NO_ATTRIBUTES
        self._ask(Kind.OPEN, body, lambda reply: self._opened(reply, mode))

    def _opened(self, reply: Reply, mode: Mode) -> None:
        if reply.kind == Kind.HANDLE:
            self._handle = reply.text
            if self._size <= self._channel.write_bytes:
                self._send_whole()
            elif not self.has_more:
                self._finish()
        elif reply.status == Status.NO_SUCH_FILE and not self._retried:
            self._retried = True
            self._yard.folders.forget(self.item.path)
            self._yard.folders.need(self._channel, self.item.path)
            self._open(mode | Mode.CREATE)
        else:
            raise refusals.of(reply, "make the file")

    def _send_whole(self) -> None:
        """A small file goes in one piece, and all that follows with it, before any of it is answered."""
        if self._size:
            block = self._read(self._size)
            self._sum = hashlib.sha256(block).hexdigest()
            self._write(block)
        else:
            self._sum = hashlib.sha256().hexdigest()
        self._check_source()
        self._close()

    def _send_piece(self) -> None:
        block = self._read(min(self._channel.write_bytes, self._size - self._sent))
        self._hash.add(block)
        self._write(block)

    def _read(self, length: int) -> bytes:
        block = sync_ports.read_at(self._source, length, self._sent)
        if len(block) != length:
            raise errors.SourceChanged
        return block

    def _write(self, block: bytes) -> None:
        write = _Write(self._sent + len(block), len(block))
        self._writes.append(write)
        body = packets.text(self._handle) + packets.u64(self._sent) + packets.u32(len(block))
        self._sent = write.end
        self._channel.in_flight_bytes += len(block)
        self._ask(Kind.WRITE, body, lambda reply: self._written(reply, write), block)

    def _written(self, reply: Reply, write: _Write) -> None:
        self._channel.in_flight_bytes -= write.bytes
        write.answered = True
        if reply.status != Status.OK:
            raise refusals.of_write(reply)
        write.acknowledged = True
        while self._writes and self._writes[0].acknowledged:
            self._acknowledged = self._writes.popleft().end
        if self._intended and (
            self._acknowledged - self._noted >= _JOURNALLED_BYTES or self._acknowledged == self._size
        ):
            self._noted = self._acknowledged
            self._yard.journal.offset(self.item, self._acknowledged)
        if self._acknowledged == self._size and self._closing == _NOT_YET and self._size > self._channel.write_bytes:
            self._finish()
        else:
            self._go_on()

    # The end

    def _finish(self) -> None:
        self._check_source()
        self._sum = self._hash.result()
        self._close()

    def _close(self) -> None:
        """Time, disk, close: all on their way together."""
        handle = packets.text(self._handle)
        self._closing = 1
        if self._channel.sets_times:
            self._closing += 1
            self._ask(Kind.FSETSTAT, handle + packets.times(self.item.fingerprint.mtime_ns), self._timed)
        if self._channel.offers(packets.FSYNC):
            self._closing += 1
            self._ask(Kind.EXTENDED, packets.text(packets.FSYNC) + handle, self._synced)
        self._ask(Kind.CLOSE, handle, self._closed)
        self._handle = b""

    def _timed(self, reply: Reply) -> None:
        if reply.status != Status.OK:
            self._channel.sets_times = False  # some servers let nobody do it; the file is none the worse
        self._one_closed()

    def _synced(self, reply: Reply) -> None:
        if reply.status not in {Status.OK, Status.UNSUPPORTED}:
            raise refusals.of_write(reply)
        self._one_closed()

    def _closed(self, reply: Reply) -> None:
        if reply.status != Status.OK:
            raise refusals.of_write(reply)
        self._one_closed()

    def _one_closed(self) -> None:
        self._closing -= 1
        self._go_on()

    def _go_on(self) -> None:
        """When the last answer is here, in whichever order they came."""
        if self._closing or self._acknowledged != self._size:
            return
        self._closing = _NOT_YET
        if self.item.verify is base.Verify.READ_BACK:
            self._read_back()
        else:
            self._rename()

    def _read_back(self) -> None:
        digest = hashlib.sha256()
        if self._intended:
            self._yard.journal.verifying(self.item)

        def done(error: errors.SyncError | None) -> None:
            wrong = errors.Mismatch() if digest.hexdigest() != self._sum else None
            self._guard(self._proven, error or wrong)

        reading.Reading(self._channel, self._hidden, span=(0, self._size), sink=digest.update, done=done)

    def _proven(self, error: errors.SyncError | None) -> None:
        if error is not None:
            raise error
        self._rename()

    def _rename(self) -> None:
        names = (self._hidden, self._final)
        renaming.Renaming(
            self._channel,
            names,
            self._size,
            note=self._note_intent,
            done=lambda error: self._guard(self._renamed, error),
        )

    def _note_intent(self) -> None:
        if not self._intended:
            self._intend()

    def _renamed(self, error: errors.SyncError | None) -> None:
        if error is not None:
            raise error
        self._release()
        self.is_over = True
        proof = Proof.READ_BACK if self.item.verify is base.Verify.READ_BACK else Proof.TRANSPORT
        delivered = base.Delivered(key=self.item.path, bytes=self._size, sha256=self._sum, proof=proof)
        self._yard.ended.append(base.Outcome(self.item, delivered=delivered))

    # Trouble

    def _ask(self, kind: Kind, body: bytes, then: Then, payload: bytes = b"") -> None:
        self._channel.ask(kind, body, lambda reply: self._guard(then, reply), payload)

    def _guard(self, step: Callable[..., None], *values: object) -> None:
        if self.is_over:
            return
        try:
            step(*values)
        except errors.SyncError as error:
            self.fail(error)
        except packets.Malformed as error:
            self._channel.give_up(errors.Offline(f"The server answers with something that is no SFTP: {error}."))
        except OSError as error:
            self.fail(errors.SourceUnreadable(f"The file cannot be read: {error.strerror or error}."))

    def _tidy(self, error: errors.SyncError) -> None:
        """Leave nothing behind that nobody would go on with."""
        if self._handle:
            self._channel.ask(Kind.CLOSE, packets.text(self._handle), lambda _: None)
        if self._hidden and (not self._intended or isinstance(error, errors.Mismatch | errors.SourceChanged)):
            self._channel.ask(Kind.REMOVE, packets.text(self._hidden), lambda _: None)
            if self._intended:
                self._yard.journal.forget(self.item)

    def _release(self) -> None:
        if self._source >= 0:
            with contextlib.suppress(OSError):
                os.close(self._source)
            self._source = -1


def _open(item: base.Item) -> int:
    try:
        return os.open(item.source, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0))
    except FileNotFoundError as error:
        raise errors.SourceGone from error
    except OSError as error:
        raise errors.SourceUnreadable(f"The file cannot be read: {error.strerror or error}.") from error
