"""Reads a file back, many pieces ahead, in order."""

from __future__ import annotations

from collections.abc import Callable

from nephos.sync import errors
from nephos.sync.connections.sftp import packets, refusals
from nephos.sync.connections.sftp.channel import Channel
from nephos.sync.connections.sftp.packets import Kind, Reply, Status

_AHEAD = 32
_MOST_READ_BYTES = 64 * 1024

Sink = Callable[[bytes], object]
Done = Callable[[errors.SyncError | None], None]


class Reading:
    """`sink` gets the bytes from `start` to `end`, then `done` is called: with None, or with what went wrong."""

    def __init__(self, channel: Channel, path: bytes, *, span: tuple[int, int], sink: Sink, done: Done) -> None:
        self._channel = channel
        self._asked, self._end = span
        self._given = self._asked
        self._sink = sink
        self._done = done
        self._handle = b""
        self._early: dict[int, bytes] = {}
        self._over = False
        body = packets.text(path) + packets.u32(packets.Mode.READ) + packets.NO_ATTRIBUTES
        channel.ask(Kind.OPEN, body, self._opened)

    def _opened(self, reply: Reply) -> None:
        if reply.kind != Kind.HANDLE:
            self._finish(refusals.of(reply, "read"))
            return
        self._handle = reply.text
        if self._given >= self._end:
            self._finish(None)
        for _ in range(_AHEAD):
            self._ask_next()

    def _ask_next(self) -> None:
        if self._asked < self._end and not self._over:
            length = min(_MOST_READ_BYTES, self._end - self._asked)
            self._ask(self._asked, length)
            self._asked += length

    def _ask(self, at: int, length: int) -> None:
        body = packets.text(self._handle) + packets.u64(at) + packets.u32(length)
        self._channel.ask(Kind.READ, body, lambda reply: self._came(reply, at, length))

    def _came(self, reply: Reply, at: int, length: int) -> None:
        if self._over:
            return
        if reply.kind != Kind.DATA:
            error = errors.Mismatch() if reply.status == Status.END else refusals.of(reply, "read")
            self._finish(error)
            return
        block = reply.text
        if len(block) < length:
            self._ask(at + len(block), length - len(block))  # a server may give less than it was asked for
        self._early[at] = block
        while self._given in self._early:
            ready = self._early.pop(self._given)
            self._given += len(ready)
            self._sink(ready)
        if self._given >= self._end:
            self._finish(None)
        self._ask_next()

    def _finish(self, error: errors.SyncError | None) -> None:
        if not self._over:
            self._over = True
            if self._handle:
                self._channel.ask(Kind.CLOSE, packets.text(self._handle), lambda _: None)
            self._done(error)
