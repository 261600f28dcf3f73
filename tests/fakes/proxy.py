"""A proxy that looks at each HTTP request on its way to a server, counts it, and does harm when told to."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum


class Harm(StrEnum):
    """What happens to a request."""

    NONE = "none"
    CUT = "cut"  # half of the body goes on, then both sides are closed
    REFUSE = "refuse"  # 503 SlowDown, the server never sees it
    FAIL = "fail"  # 500, the server never sees it
    FULL = "full"  # 507, there is no space left
    STALL = "stall"  # half of the body goes on, then nothing for a while, then both sides are closed
    TRUNCATE = "truncate"  # the server does it, half of its answer comes
    LOSE_ANSWER = "lose the answer"  # the server does it, the client never hears of it
    ERROR_IN_200 = "error in 200"  # the server never sees it, the client reads an error document


_ANSWERS = {
    Harm.REFUSE: (503, "SlowDown"),
    Harm.FAIL: (500, "InternalError"),
    Harm.FULL: (507, "InsufficientStorage"),
    Harm.ERROR_IN_200: (200, "InternalError"),
}


@dataclass(frozen=True)
class Seen:
    """One request and how it ended."""

    method: str
    target: str
    length: int
    status: int
    harm: Harm

    @property
    def part(self) -> int | None:
        found = re.search(r"partNumber=(\d+)", self.target)
        return int(found[1]) if found and self.method == "PUT" else None


Judge = Callable[[str, str], Harm]


@dataclass
class Proxy:
    """Set `judge` for harm, `bytes_per_second` to be slow; read `seen`."""

    upstream: int
    judge: Judge = lambda method, target: Harm.NONE
    bytes_per_second: float = 0
    seen: list[Seen] = field(default_factory=list)
    port: int = 0
    passed_bytes: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _stop: threading.Event = field(default_factory=threading.Event)
    _listener: socket.socket | None = None
    _busy: int = 0
    _threads: list[threading.Thread] = field(default_factory=list)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def acknowledged(self) -> list[int]:
        """Part numbers whose acknowledgement was passed to the client, one entry each time."""
        return [seen.part for seen in self.seen if seen.part and seen.status == 200 and seen.harm is Harm.NONE]

    def count(self, method: str, pattern: str = "") -> int:
        return sum(seen.method == method and bool(re.search(pattern, seen.target)) for seen in self.seen)

    def settle(self) -> None:
        """Wait until no request is on its way: what a killed client had sent is with the server or lost."""
        deadline = time.monotonic() + 60
        while self._busy:
            assert time.monotonic() < deadline, "a request never ended"
            time.sleep(0.02)

    def start(self) -> Proxy:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.2)
        # Little is kept on the way, so that what a client takes back is not passed on for seconds.
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
        self.port = self._listener.getsockname()[1]
        self._spawn(self._accept)
        return self

    def stop(self) -> None:
        self._stop.set()
        for thread in list(self._threads):
            thread.join(timeout=5)
        if self._listener is not None:
            self._listener.close()

    def _spawn(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        assert self._listener is not None
        while not self._stop.is_set():
            try:
                client, _ = self._listener.accept()
            except TimeoutError:
                continue
            self._spawn(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        client.settimeout(0.2)
        server: socket.socket | None = None
        try:
            stream = _Stream(client, self._stop)
            while (head := stream.head()) is not None:
                if server is None:
                    server = socket.create_connection(("127.0.0.1", self.upstream), timeout=30)
                with self._lock:
                    self._busy += 1
                try:
                    if not self._one(head, stream, client, server):
                        return
                finally:
                    with self._lock:
                        self._busy -= 1
        except OSError:
            pass
        finally:
            client.close()
            if server is not None:
                server.close()

    def _one(self, head: bytes, stream: _Stream, client: socket.socket, server: socket.socket) -> bool:
        method, target, *_ = head.split(b" ", 2)
        name, place = method.decode(), target.decode()
        length = _length(head)
        harm = self.judge(name, place)
        if harm in _ANSWERS:
            for _ in stream.body(length):
                pass
            status, code = _ANSWERS[harm]
            body = f"<Error><Code>{code}</Code><Message>the proxy says so</Message></Error>".encode()
            client.sendall(f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
            self._note(name, place, length, status, harm)
            return True
        server.sendall(head)
        sent = 0
        for block in stream.body(length):
            server.sendall(block)
            sent += len(block)
            self._pace(len(block))
            if harm in {Harm.CUT, Harm.STALL} and sent * 2 >= length:
                self._stop.wait(1.0 if harm is Harm.STALL else 0)
                self._note(name, place, length, 0, harm)
                return False
        answer = _answer(server, method == b"HEAD")
        status = int(answer[9:12])
        if harm is Harm.LOSE_ANSWER:
            self._note(name, place, length, status, harm)
            return False
        client.settimeout(30)
        if harm is Harm.TRUNCATE:
            client.sendall(answer[: len(answer) // 2])
            self._note(name, place, length, status, harm)
            return False
        client.sendall(answer)
        client.settimeout(0.2)
        self._note(name, place, length, status, harm)
        return True

    def _pace(self, length: int) -> None:
        with self._lock:
            self.passed_bytes += length
            if self.bytes_per_second:
                time.sleep(length / self.bytes_per_second)

    def _note(self, method: str, target: str, length: int, status: int, harm: Harm) -> None:
        with self._lock:
            self.seen.append(Seen(method, target, length, status, harm))


class _Stream:
    """Requests of one client."""

    def __init__(self, client: socket.socket, stop: threading.Event) -> None:
        self.client, self.stop, self.buffer = client, stop, b""

    def _more(self) -> bytes:
        while not self.stop.is_set():
            try:
                return self.client.recv(65536)
            except TimeoutError:
                continue
        return b""

    def head(self) -> bytes | None:
        while b"\r\n\r\n" not in self.buffer:
            block = self._more()
            if not block:
                return None
            self.buffer += block
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        return head + b"\r\n\r\n"

    def body(self, length: int) -> Iterator[bytes]:
        while length > 0:
            block = self.buffer or self._more()
            if not block:
                raise ConnectionError("the client went away")
            block, self.buffer = block[:length], block[length:]
            length -= len(block)
            yield block


def _length(head: bytes) -> int:
    found = re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
    return int(found[1]) if found else 0


def _answer(server: socket.socket, headless: bool) -> bytes:
    answer = b""
    while b"\r\n\r\n" not in answer:
        block = server.recv(65536)
        if not block:
            raise ConnectionError("the server went away")
        answer += block
    head, _, body = answer.partition(b"\r\n\r\n")
    if headless or head[9:12] in {b"204", b"304"}:
        return answer
    if b"transfer-encoding: chunked" in head.lower():
        while not body.endswith(b"0\r\n\r\n"):
            body += server.recv(65536)
        return head + b"\r\n\r\n" + body
    whole = bytearray(body)
    length = _length(head)
    while len(whole) < length:
        block = server.recv(1 << 20)
        if not block:
            raise ConnectionError("the server went away")
        whole += block
    return head + b"\r\n\r\n" + bytes(whole)


@contextmanager
def proxying(upstream: int) -> Iterator[Proxy]:
    """A proxy in front of a port on this machine."""
    proxy = Proxy(upstream=upstream).start()
    try:
        yield proxy
    finally:
        proxy.stop()
