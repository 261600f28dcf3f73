"""A proxy of bytes in front of a port, for what is encrypted: cuts connections, stands still, swallows answers."""

from __future__ import annotations

import contextlib
import random
import selectors
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

_BLOCK_BYTES = 64 * 1024
_STALL_SECONDS = 1.0


class Fate(StrEnum):
    """How a connection ends, after so many bytes to the server."""

    NONE = "none"
    CUT = "cut"
    STALL = "stall"  # nothing passes for a while, then it is cut
    DEAF = "deaf"  # the server gets it all, its answers are lost, then it is cut


@dataclass
class Wire:
    """Set `harm` to the share of connections that end badly."""

    upstream: int
    harm: float = 0.0
    port: int = 0
    bytes_up: int = 0
    broken: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> Wire:
        listener = socket.create_server(("127.0.0.1", 0))
        listener.settimeout(0.2)
        self.port = listener.getsockname()[1]
        self._spawn(self._accept, listener)
        return self

    def stop(self) -> None:
        self._stop.set()
        for thread in list(self._threads):
            thread.join(timeout=5)

    def _spawn(self, work: object, *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        with listener:
            while not self._stop.is_set():
                with contextlib.suppress(TimeoutError):
                    client, _ = listener.accept()
                    self._spawn(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        there = ("127.0.0.1", self.upstream)
        with client, contextlib.suppress(OSError), socket.create_connection(there, timeout=10) as server:
            client.settimeout(20)
            server.settimeout(20)
            self._carry(client, server)

    def _carry(self, client: socket.socket, server: socket.socket) -> None:
        patience = random.randrange(3_000, 2_000_000)  # a login alone is about 3 KB
        passed = 0
        with selectors.DefaultSelector() as selector:
            selector.register(client, selectors.EVENT_READ)
            selector.register(server, selectors.EVENT_READ)
            while not self._stop.is_set():
                for key, _ in selector.select(0.2):
                    origin = key.fileobj
                    assert isinstance(origin, socket.socket)
                    block = origin.recv(_BLOCK_BYTES)
                    if not block:
                        return
                    upward = origin is client
                    (server if upward else client).sendall(block)
                    if upward:
                        self.bytes_up += len(block)
                        passed += len(block)
                if passed > patience:
                    if random.random() < self.harm:
                        self._break(client, server)
                        return
                    patience = passed + random.randrange(3_000, 2_000_000)

    def _break(self, client: socket.socket, server: socket.socket) -> None:
        self.broken += 1
        fate = random.choice((Fate.CUT, Fate.STALL, Fate.DEAF))
        if fate is Fate.STALL:
            self._stop.wait(_STALL_SECONDS)
        elif fate is Fate.DEAF:
            client.settimeout(0.1)
            until = time.monotonic() + 0.5
            while time.monotonic() < until:
                with contextlib.suppress(TimeoutError):
                    block = client.recv(_BLOCK_BYTES)
                    if not block:
                        return
                    server.sendall(block)


@contextlib.contextmanager
def through(upstream: int) -> Iterator[Wire]:
    """A wire to a port on this machine."""
    wire = Wire(upstream).start()
    try:
        yield wire
    finally:
        wire.stop()
