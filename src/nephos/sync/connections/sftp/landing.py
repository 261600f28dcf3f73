"""The last steps of a file whose bytes are all on their way: time, disk, close; proof; final name."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from nephos.sync import errors
from nephos.sync.connections import base
from nephos.sync.connections.sftp import packets, reading, refusals, renaming
from nephos.sync.connections.sftp.channel import Channel, Then
from nephos.sync.connections.sftp.packets import Kind, Reply, Status
from nephos.sync.states import Proof

Done = Callable[[errors.SyncError | None], None]
_FSYNC = packets.text(packets.FSYNC)


class Closing:
    """Asks for all of it in one packet; `done` is called when the last answer is here, with the first that was bad."""

    __slots__ = ("_channel", "_done", "_left", "_trouble")

    def __init__(self, channel: Channel, handle: bytes, mtime_ns: int, *, content: bytes = b"", done: Done) -> None:
        self._channel = channel
        self._done = done
        self._trouble: errors.SyncError | None = None
        named = packets.text(handle)
        requests: list[tuple[int, bytes, Then]] = []
        if content:
            body = b"".join((packets.write(handle, 0, len(content)), content))
            requests.append((Kind.WRITE, body, self._answered))
        if channel.sets_times:
            requests.append((Kind.FSETSTAT, named + packets.times(mtime_ns), self._timed))
        if channel.offers(packets.FSYNC):
            requests.append((Kind.EXTENDED, _FSYNC + named, self._synced))
        requests.append((Kind.CLOSE, named, self._answered))
        self._left = len(requests)
        channel.ask_all(requests)

    def _timed(self, reply: Reply) -> None:
        if reply.status != Status.OK:
            self._channel.sets_times = False  # some servers let nobody do it; the file is none the worse
        self._answered(packets.OK)

    def _synced(self, reply: Reply) -> None:
        self._answered(packets.OK if reply.status == Status.UNSUPPORTED else reply)

    def _answered(self, reply: Reply) -> None:
        if reply is not packets.OK and reply.status != Status.OK and self._trouble is None:
            self._trouble = refusals.of_write(reply)
        self._left -= 1
        if not self._left:
            self._done(self._trouble)


class Landing:
    """From a hidden file that is whole and closed to the receipt. `note` is called before what a crash can halve."""

    __slots__ = ("_channel", "_done", "_item", "_names", "_note", "_sum")

    def __init__(
        self,
        channel: Channel,
        item: base.Item,
        names: tuple[bytes, bytes],
        sha256: str,
        *,
        note: Callable[[], None],
        done: Done,
    ) -> None:
        self._channel = channel
        self._item = item
        self._names = names
        self._sum = sha256
        self._note = note
        self._done = done
        if item.verify is base.Verify.READ_BACK:
            self._read_back()
        else:
            self._rename()

    def _read_back(self) -> None:
        digest = hashlib.sha256()

        def done(error: errors.SyncError | None) -> None:
            if error is None and digest.hexdigest() != self._sum:
                error = errors.Mismatch()
            if error is None:
                self._rename()
            else:
                self._done(error)

        span = (0, self._item.fingerprint.size_bytes)
        reading.Reading(self._channel, self._names[0], span=span, sink=digest.update, done=done)

    def _rename(self) -> None:
        size = self._item.fingerprint.size_bytes
        renaming.Renaming(self._channel, self._names, size, note=self._note, done=self._done)


def outcome(item: base.Item, sha256: str) -> base.Outcome:
    """It is there under its final name."""
    proof = Proof.READ_BACK if item.verify is base.Verify.READ_BACK else Proof.TRANSPORT
    size = item.fingerprint.size_bytes
    return base.Outcome(item, delivered=base.Delivered(key=item.path, bytes=size, sha256=sha256, proof=proof))


def intent(item: base.Item, hidden: str) -> base.Intent:
    """What the journal has to know of a hidden name."""
    return base.Intent(transfer=item.transfer, fingerprint=item.fingerprint, key=item.path, handle=hidden)
