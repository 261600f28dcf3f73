"""A source that works without a network: what `give` gets is what arrives, and it can be broken."""

from __future__ import annotations

import contextlib
import socket

from nephos.recording.sources import base, datagrams, errors


class PipeSource:
    """Fulfils `base.Source` over a socket pair that keeps the borders between pieces."""

    def __init__(self) -> None:
        self.opened = 0
        self.breaks = False
        self.dropped = 0  # what the kernel would say
        self.asked = 0
        self._near, self._far = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._near.setblocking(False)
        self._is_open = False
        self._held: list[bytes] = []
        self._unpacker = datagrams.Unpacker()

    def give(self, raw: bytes) -> None:
        """Let this arrive."""
        if self._is_open:
            self._far.send(raw)

    def end(self) -> None:
        """The test is over."""
        self._near.close()
        self._far.close()

    def open(self) -> None:
        if self.breaks:
            raise errors.SourceError("no such interface")
        self.opened += 1
        self._is_open = True

    def close(self) -> None:
        self._is_open = False

    def fileno(self) -> int:
        return self._near.fileno()

    def fill(self) -> int:
        if self.breaks:
            raise errors.SourceError("the network is down")
        with contextlib.suppress(BlockingIOError):
            while self._is_open:
                self._held.append(self._near.recv(65536))
        return sum(len(piece) for piece in self._held)

    def take(self) -> base.Load:
        held, self._held = self._held, []
        return base.Load(raw=b"".join(held), sizes=[len(piece) for piece in held])

    def decode(self, load: base.Load) -> base.Chunk:
        return self._unpacker.unpack(load)

    def facts(self) -> base.Facts:
        self.asked += 1
        return base.Facts(buffer_bytes=1000, dropped=self.dropped)
