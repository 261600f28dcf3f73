"""A link between a client and a server that can be slow, long, silent or cut, whatever is spoken over it."""

from __future__ import annotations

import collections
import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

_BLOCK_BYTES = 64 * 1024


@dataclass
class Pipe:
    """Set `bytes_per_second` or `silent`; `cut` breaks what is open, new connections are fine.

    `delay_seconds` each way make it long without making it narrow; it holds for connections that come after.
    """

    upstream: int
    port: int = 0
    bytes_per_second: float = 0
    delay_seconds: float = 0
    silent: bool = False
    upward_bytes: int = 0
    connections: int = 0
    turned_away: int = 0
    only_one: bool = False  # at a time; others are hung up on
    _open: list[socket.socket] = field(default_factory=list)
    _all: list[socket.socket] = field(default_factory=list)
    _threads: list[threading.Thread] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def cut(self) -> None:
        """Both sides see it at once."""
        with self._lock:
            found, self._open = self._open, []
        for each in found:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def cut_newest(self) -> None:
        """Only the connection that came last."""
        with self._lock:
            found, self._open = self._open[-2:], self._open[:-2]
        for each in found:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def listen(self) -> socket.socket:
        listener = socket.create_server(("127.0.0.1", 0))
        listener.settimeout(0.1)
        self.port = listener.getsockname()[1]
        self._spawn(self._accept, listener)
        return listener

    def _spawn(self, work: Callable[..., None], *values: object) -> None:
        thread = threading.Thread(target=work, args=values, daemon=True)
        self._threads.append(thread)
        thread.start()

    def stop(self) -> None:
        self._stop.set()
        self.cut()
        for thread in list(self._threads):
            thread.join(timeout=5)
        for each in self._all:
            each.close()

    def _accept(self, listener: socket.socket) -> None:
        while not self._stop.is_set():
            try:
                client, _ = listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            if self.only_one and any(each.fileno() >= 0 and _is_open(each) for each in self._open):
                self.turned_away += 1
                client.close()
                continue
            client.settimeout(None)
            try:
                server = socket.create_connection(("127.0.0.1", self.upstream), timeout=5)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            with self._lock:
                self.connections += 1
                self._open += [client, server]
                self._all += [client, server]
            for source, target, upward in ((client, server, True), (server, client, False)):
                self._spawn(self._carry, source, target, upward)

    def _carry(self, source: socket.socket, target: socket.socket, upward: bool) -> None:
        if self.delay_seconds:
            way = _Way(source, self.delay_seconds)
            self._spawn(way.fill)
            take: Callable[[], bytes] = way.take
        else:
            take = lambda: source.recv(_BLOCK_BYTES)  # noqa: E731 - the two ways side by side
        with contextlib.suppress(OSError):
            while block := take():
                while self.silent and not self._stop.is_set():
                    time.sleep(0.01)
                if upward and self.bytes_per_second:
                    time.sleep(len(block) / self.bytes_per_second)
                target.sendall(block)
                if upward:
                    self.upward_bytes += len(block)
        for each in (source, target):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


def _is_open(end: socket.socket) -> bool:
    try:
        end.getpeername()
    except OSError:
        return False
    return True


class _Way:
    """What came in waits its time, however much it is."""

    def __init__(self, source: socket.socket, seconds: float) -> None:
        self._source, self._seconds = source, seconds
        self._blocks: collections.deque[tuple[float, bytes]] = collections.deque()
        self._came = threading.Condition()

    def fill(self) -> None:
        block = b"more"
        while block:
            try:
                block = self._source.recv(4 * _BLOCK_BYTES)
            except OSError:
                block = b""
            with self._came:
                self._blocks.append((time.monotonic() + self._seconds, block))
                self._came.notify()

    def take(self) -> bytes:
        """The next whose time has come, b"" at the end."""
        with self._came:
            while not self._blocks:
                self._came.wait()
            due, block = self._blocks.popleft()
        time.sleep(max(0.0, due - time.monotonic()))
        return block


@contextlib.contextmanager
def piping(upstream: int, *, delay_seconds: float = 0) -> Iterator[Pipe]:
    """A link to a port of this machine."""
    pipe = Pipe(upstream, delay_seconds=delay_seconds)
    listener = pipe.listen()
    try:
        yield pipe
    finally:
        pipe.stop()
        listener.close()
