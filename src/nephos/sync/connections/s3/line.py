"""One connection that never blocks: it is told what to ask, and advances whenever its socket can."""

from __future__ import annotations

import errno
import os
import selectors
import socket
import ssl
from typing import NoReturn

from nephos.lib import clock
from nephos.sync import ports
from nephos.sync.connections.s3 import exchange
from nephos.sync.connections.s3.endpoint import Endpoint
from nephos.sync.connections.s3.exchange import Answer, Closed

_BLOCK_BYTES = 64 * 1024
_NOTHING = memoryview(b"")
_UNDER_WAY = frozenset({0, errno.EINPROGRESS, errno.EWOULDBLOCK})


class NeedMore(Exception):
    """The answer is not here yet."""


class Line:
    """Look at `answer` and `broken` after it advanced."""

    def __init__(self, endpoint: Endpoint, tls: ssl.SSLContext | None, selector: selectors.BaseSelector) -> None:
        self.answer: Answer | None = None
        self.broken: Exception | None = None
        self.is_kept = True
        self.has_served = False  # it had an answer before this one
        self.heard = False
        self._endpoint = endpoint
        self._tls = tls
        self._selector = selector
        self._socket: socket.socket | None = None
        self._connected = self._shaken = False
        self._unsent: memoryview = memoryview(b"")
        self._received = b""
        self._headless = False
        self._interest = 0
        self._moved_at = 0.0

    def ask(self, head: bytes, body: bytes) -> None:
        """Send a request, as far as it goes now; the answer is read when its first bytes are there."""
        self._received = b""
        self.heard = False
        self._moved_at = clock.monotonic()
        connection = self._socket
        if connection is not None and self._tls is None:  # the plain case: all of it in one call of the system
            try:
                sent = ports.send_buffers(connection, (head, body))
            except BlockingIOError:
                sent = 0
            except OSError as error:
                self._unsent = _NOTHING
                if not isinstance(error, BrokenPipeError | ConnectionResetError):
                    self.broken = error
                    return
                self.is_kept = False
                sent = len(head) + len(body)
            if sent == len(head) + len(body):
                self._want(selectors.EVENT_READ)
                return
            self._unsent = memoryview(head + body)[sent:]
        else:
            self._unsent = memoryview(head + body)
        self.advance()

    def advance(self) -> None:
        """Connect, greet, send, read: whatever comes next and can be done."""
        try:
            if not self._unsent and self._shaken:
                self._read()
            else:
                self._go_on()
        except ssl.SSLWantWriteError:
            self._want(selectors.EVENT_WRITE)
        except (BlockingIOError, ssl.SSLWantReadError, NeedMore):
            self._want(selectors.EVENT_WRITE if self._unsent and self._shaken else selectors.EVENT_READ)
        except (OSError, ValueError) as error:
            self.broken = error

    def check_silence(self) -> None:
        """Break if nothing came or went for too long."""
        if clock.monotonic() - self._moved_at > exchange.IDLE_SECONDS:
            self.broken = TimeoutError("nothing came or went for too long")

    def close(self) -> None:
        """Let go of the socket."""
        if self._socket is not None:
            self._want(0)
            self._socket.close()
            self._socket = None

    def _connect(self) -> socket.socket:
        if self._socket is None:
            self._open()
        connection = self._socket
        if not self._connected:
            failure = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if failure:
                raise OSError(failure, os.strerror(failure))
            connection.getpeername()  # raises ENOTCONN while it is not there
            self._connected = True
        if not self._shaken:
            if isinstance(connection, ssl.SSLSocket):
                connection.do_handshake()
            self._shaken = True
        return connection

    def _go_on(self) -> None:
        connection = self._connect()
        while self._unsent:
            try:
                self._unsent = self._unsent[connection.send(self._unsent) :]
            except (BrokenPipeError, ConnectionResetError):
                self._unsent = memoryview(b"")  # a server that refuses answers early and closes: it may have said why
                self.is_kept = False
            self._moved_at = clock.monotonic()
        self._want(selectors.EVENT_READ)
        if self._tls is not None:
            self._read()  # what the other side said may be in the cipher's buffer, where no selector sees it

    def _read(self) -> None:
        assert self._socket is not None  # noqa: S101 - `_go_on` made it
        while self.answer is None:
            block = self._socket.recv(_BLOCK_BYTES)
            self._moved_at = clock.monotonic()
            self.heard = self.heard or bool(block)
            self._received = self._received + block if self._received else block
            answer, left = _plain(self._received), 0
            if answer is None:
                source = _Received(self._received, is_all=not block)
                try:
                    answer = exchange.answer_of(source)
                except NeedMore:
                    continue
                left = source.left
            self.is_kept = self.is_kept and not left and answer.header("connection").lower() != "close"
            self.has_served = True
            self.answer = answer

    def _open(self) -> NoReturn:
        found = socket.getaddrinfo(self._endpoint.server, self._endpoint.port, type=socket.SOCK_STREAM)
        family, kind, protocol, _, address = found[0]
        plain = socket.socket(family, kind, protocol)
        plain.settimeout(0)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = plain
        if self._tls is not None:
            self._socket = self._tls.wrap_socket(
                plain, server_hostname=self._endpoint.server, do_handshake_on_connect=False
            )
        failure = self._socket.connect_ex(address)
        if failure not in _UNDER_WAY:
            raise OSError(failure, os.strerror(failure))
        raise ssl.SSLWantWriteError  # it connects; look again when it can be written to

    def _want(self, interest: int) -> None:
        if self._socket is None or interest == self._interest:
            return
        if not self._interest:
            self._selector.register(self._socket, interest, self)
        elif interest:
            self._selector.modify(self._socket, interest, self)
        else:
            self._selector.unregister(self._socket)
        self._interest = interest


def _plain(received: bytes) -> Answer | None:
    """A success without a body, which nearly all answers are, with those headers that matter; else None."""
    if not received.startswith(b"HTTP/1.1 200 ") or received.find(b"\r\n\r\n") != len(received) - 4:
        return None
    said = received.lower()
    if b"\r\ncontent-length: 0\r\n" not in said or b"\r\nconnection:" in said:
        return None
    if b"\r\ntransfer-encoding:" in said or b"\r\nx-amz-version-id:" in said:
        return None
    start = said.find(b"\r\netag: ") + 8
    etag = received[start : received.index(b"\r\n", start)].decode("latin-1") if start > 7 else ""
    return Answer(200, {"etag": etag.strip()}, b"")


class _Received:
    """What has come so far, read as if it came from a socket; raises NeedMore where that ends."""

    def __init__(self, content: bytes, *, is_all: bool) -> None:
        self._content = content
        self._at = 0
        self._is_all = is_all

    @property
    def left(self) -> int:
        return len(self._content) - self._at

    def until(self, mark: bytes, most: int) -> bytes:
        """Bytes up to a mark, without it."""
        found = self._content.find(mark, self._at)
        if found < 0:
            if self.left > most:
                raise Closed("an answer without end")
            self._lack()
        piece = self._content[self._at : found]
        self._at = found + len(mark)
        return piece

    def some(self, most: int) -> bytes:
        """At least one byte, at most so many."""
        if not self.left:
            self._lack()
        piece = self._content[self._at : self._at + most]
        self._at += len(piece)
        return piece

    def rest(self) -> bytes:
        """What comes next, empty when the other side has closed."""
        if self._is_all and not self.left:
            return b""
        return self.some(_BLOCK_BYTES)

    def _lack(self) -> NoReturn:
        if self._is_all:
            raise Closed("the connection was closed")
        raise NeedMore
