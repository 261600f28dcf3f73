"""One HTTP/1.1 connection that stays open, and a pool of them. Time-outs are for silence, never for the whole."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from nephos.lib import clock, ports
from nephos.sync import errors
from nephos.sync import ports as sync_ports
from nephos.sync.connections import base
from nephos.sync.connections.s3.endpoint import Endpoint

_CONNECT_SECONDS = 10.0
IDLE_SECONDS = 60.0
_SLICE_SECONDS = 0.25  # how often somebody who waits looks at the stop event
_BLOCK_BYTES = 256 * 1024
_MOST_HEAD_BYTES = 64 * 1024
_MOST_BODY_BYTES = 16 * 1024 * 1024

Sink = Callable[[bytes], None]


@dataclass(frozen=True, slots=True)
class FileRange:
    """A piece of an open file as the body of a request."""

    handle: int
    start: int
    length: int


Body = bytes | FileRange


class Answer(NamedTuple):
    """What the server said; `body` is empty if it went to a sink."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def header(self, name: str) -> str:
        return self.headers.get(name, "")


class Closed(OSError):
    """The other side closed the connection."""


class Exchange:
    """One connection; used by one thread at a time."""

    def __init__(self, endpoint: Endpoint, tls: ssl.SSLContext | None) -> None:
        self._endpoint = endpoint
        self._tls = tls
        self._socket: socket.socket | None = None
        self.used = False

    def ask(self, head: bytes, body: Body, *, stop: ports.Waiter, idle: float, sink: Sink | None) -> Answer:
        """Send a request and read the answer. Raises OSError when the connection breaks, Interrupted on stop."""
        connection = self._socket or self._open()
        refusal: OSError | None = None
        try:
            if isinstance(body, bytes):
                self._send(connection, head + body, stop, idle)
                base.pace(stop, len(body))
            else:
                self._send(connection, head, stop, idle)
                self._send_range(connection, body, stop, idle)
        except (BrokenPipeError, ConnectionResetError, ssl.SSLEOFError) as error:
            refusal = error  # a server that refuses answers early and closes: what it said matters more
        return self._answer(connection, head.startswith(b"HEAD "), stop, idle, sink, refusal)

    def abort(self) -> None:
        """Let go of the socket and of what it was still to send: a pause stops all bytes, not only new ones."""
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self) -> None:
        """Let go of the socket."""
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.close()
            self._socket = None

    def _open(self) -> socket.socket:
        plain = socket.create_connection((self._endpoint.server, self._endpoint.port), timeout=_CONNECT_SECONDS)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        connection = plain
        if self._tls is not None:
            connection = self._tls.wrap_socket(plain, server_hostname=self._endpoint.server)
        connection.settimeout(_SLICE_SECONDS)
        self._socket = connection
        self.used = False
        return connection

    def _send(self, connection: socket.socket, content: bytes, stop: ports.Waiter, idle: float) -> None:
        view = memoryview(content)
        deadline = clock.monotonic() + idle
        while view:
            try:
                view = view[connection.send(view) :]
                deadline = clock.monotonic() + idle
            except TimeoutError:
                _be_patient(stop, deadline)

    def _send_range(self, connection: socket.socket, piece: FileRange, stop: ports.Waiter, idle: float) -> None:
        if self._tls is not None:
            self._send_read(connection, piece, stop, idle)
            return
        at, end = piece.start, piece.start + piece.length
        size = os.fstat(piece.handle).st_size
        deadline = clock.monotonic() + idle
        while at < end:
            if stop.is_set():
                raise errors.Interrupted
            if at >= size:
                raise errors.SourceChanged  # it became shorter; sendfile would say 0 for ever
            try:
                sent = sync_ports.send_file(
                    connection, piece.handle, start=at, length=end - at, idle_seconds=_SLICE_SECONDS
                )
            except TimeoutError:
                _be_patient(stop, deadline)
                continue
            if sent:
                at += sent
                base.pace(stop, sent)
                deadline = clock.monotonic() + idle
            else:
                size = os.fstat(piece.handle).st_size

    def _send_read(self, connection: socket.socket, piece: FileRange, stop: ports.Waiter, idle: float) -> None:
        at, end = piece.start, piece.start + piece.length
        while at < end:
            block = sync_ports.read_at(piece.handle, min(_BLOCK_BYTES, end - at), at)
            if not block:
                raise errors.SourceChanged
            self._send(connection, block, stop, idle)
            base.pace(stop, len(block))
            at += len(block)

    def _answer(
        self,
        connection: socket.socket,
        headless: bool,  # noqa: FBT001 - whether the answer has no body by its nature
        stop: ports.Waiter,
        idle: float,
        sink: Sink | None,
        refusal: OSError | None,
    ) -> Answer:
        receive = _Receiver(connection, stop, idle)
        try:
            status, headers = _head(receive)
            while status < 200:
                status, headers = _head(receive)
        except OSError:
            if refusal is not None:
                raise refusal from None
            raise
        if refusal is None:
            self.used = True
        body = b""
        if not headless and status not in {204, 304}:
            body = _body(receive, headers, sink if status < 300 else None)
        if refusal is not None or headers.get("connection", "").lower() == "close":
            self.close()
        return Answer(status, headers, body)


class Source(Protocol):
    """Where an answer is read from."""

    def until(self, mark: bytes, most: int) -> bytes: ...
    def some(self, most: int) -> bytes: ...
    def rest(self) -> bytes: ...


class _Receiver:
    """Reads from a socket in pieces of the asked shape."""

    def __init__(self, connection: socket.socket, stop: ports.Waiter, idle: float) -> None:
        self._connection = connection
        self._stop = stop
        self._idle = idle
        self._buffer = b""

    def until(self, mark: bytes, most: int) -> bytes:
        """Bytes up to a mark, without it."""
        while mark not in self._buffer:
            if len(self._buffer) > most:
                raise Closed("an answer without end")
            self._buffer += self._more()
        found, _, self._buffer = self._buffer.partition(mark)
        return found

    def some(self, most: int) -> bytes:
        """At least one byte, at most so many."""
        if not self._buffer:
            self._buffer = self._more()
        found, self._buffer = self._buffer[:most], self._buffer[most:]
        return found

    def rest(self) -> bytes:
        """What comes next, empty when the other side has closed."""
        try:
            return self.some(_BLOCK_BYTES)
        except Closed:
            return b""

    def _more(self) -> bytes:
        deadline = clock.monotonic() + self._idle
        while True:
            try:
                block = self._connection.recv(_BLOCK_BYTES)
            except TimeoutError:
                _be_patient(self._stop, deadline)
                continue
            if not block:
                raise Closed("the connection was closed")
            return block


def _be_patient(stop: ports.Waiter, deadline: float) -> None:
    if stop.is_set():
        raise errors.Interrupted
    if clock.monotonic() > deadline:
        raise TimeoutError("nothing came or went for too long")


def answer_of(receive: Source) -> Answer:
    """A whole answer to anything but HEAD."""
    status, headers = _head(receive)
    while status < 200:
        status, headers = _head(receive)
    body = b"" if status in {204, 304} else _body(receive, headers, None)
    return Answer(status, headers, body)


def _head(receive: Source) -> tuple[int, dict[str, str]]:
    lines = receive.until(b"\r\n\r\n", _MOST_HEAD_BYTES).decode("latin-1").split("\r\n")
    protocol, _, rest = lines[0].partition(" ")
    if not protocol.startswith("HTTP/1.") or not rest[:3].isdigit():
        raise Closed("that is no HTTP")
    headers = {}
    for line in lines[1:]:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    if protocol == "HTTP/1.0":
        headers.setdefault("connection", "close")
    return int(rest[:3]), headers


def _body(receive: Source, headers: Mapping[str, str], sink: Sink | None) -> bytes:
    pieces: list[bytes] = []
    total = 0

    def keep(block: bytes) -> None:
        nonlocal total
        total += len(block)
        if total > _MOST_BODY_BYTES:
            raise Closed("an answer that is too long")
        pieces.append(block)

    take = sink or keep
    if "chunked" in headers.get("transfer-encoding", "").lower():
        _chunks(receive, take)
    elif "content-length" in headers:
        _exactly(receive, int(headers["content-length"]), take)
    else:
        while block := receive.rest():
            take(block)
    return b"".join(pieces)


def _exactly(receive: Source, length: int, take: Sink) -> None:
    while length > 0:
        block = receive.some(length)
        length -= len(block)
        take(block)


def _chunks(receive: Source, take: Sink) -> None:
    while length := int(receive.until(b"\r\n", 1024).partition(b";")[0], 16):
        _exactly(receive, length, take)
        receive.until(b"\r\n", 16)
    while receive.until(b"\r\n", _MOST_HEAD_BYTES):
        pass  # trailers


class Pool:
    """Open connections that are lent to one thread at a time."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self.tls = endpoint.tls()
        self._idle: list[Exchange] = []
        self._lock = threading.Lock()

    def ask(
        self, head: bytes, body: Body = b"", *, stop: ports.Waiter, idle: float = IDLE_SECONDS, sink: Sink | None = None
    ) -> Answer:
        """Ask on a kept connection. One that the server closed while it rested is replaced once, silently.

        Raises Offline, NotWelcome for a certificate that cannot be trusted, Interrupted.
        """
        while True:
            exchange = self._borrow()
            rested = exchange.used
            try:
                answer = exchange.ask(head, body, stop=stop, idle=idle, sink=sink)
            except (ConnectionResetError, BrokenPipeError, Closed) as error:
                exchange.close()
                if rested and sink is None:
                    self._drop_idle()
                    continue
                raise explain(self._endpoint, error) from error
            except (OSError, ValueError) as error:
                exchange.close()
                raise explain(self._endpoint, error) from error
            except BaseException:
                exchange.abort()
                raise
            self._give_back(exchange)
            return answer

    def close(self) -> None:
        """Close what is idle."""
        self._drop_idle()

    def _borrow(self) -> Exchange:
        with self._lock:
            return self._idle.pop() if self._idle else Exchange(self._endpoint, self.tls)

    def _give_back(self, exchange: Exchange) -> None:
        with self._lock:
            self._idle.append(exchange)

    def _drop_idle(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for exchange in idle:
            exchange.close()


def explain(endpoint: Endpoint, error: Exception) -> errors.SyncError:
    """What it means that a connection broke."""
    where = endpoint.authority
    if isinstance(error, ssl.SSLCertVerificationError):
        return errors.NotWelcome(
            f"The certificate of {where} cannot be trusted: {error.verify_message}.",
            hint="Name your own authority in the option ca_file.",
        )
    if isinstance(error, TimeoutError):
        return errors.Offline(f"{where} does not answer.")
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return errors.Offline(f"{where} cannot be reached: {reason}.")
