"""One login, with many requests on their way at once: each has a function that is called with its answer."""

from __future__ import annotations

import collections
import itertools
import selectors
from collections.abc import Callable

from nephos.lib import clock
from nephos.lib import ports as lib_ports
from nephos.sync import errors
from nephos.sync import ports as sync_ports
from nephos.sync.connections.sftp import packets
from nephos.sync.connections.sftp.packets import Kind, Reply, Status
from nephos.sync.connections.sftp.transport import Transport

_BLOCK_BYTES = 256 * 1024
_GROUP_BYTES = 1 << 20
_GROUP_BUFFERS = 512
_WRITE_HEAD_BYTES = 1024  # `limits` tells the data of a write; what is around it is small
_SILENT_SECONDS = 60.0
_SLICE_SECONDS = 0.25

Then = Callable[[Reply], None]


class Channel:
    """For one thread at a time. It breaks once: then `broken` says why, and what was asked is never answered."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self.broken: errors.SyncError | None = None
        self.ready = False
        self.extensions: frozenset[bytes] = frozenset()
        self.write_bytes = packets.USUAL_WRITE_BYTES
        self.unsent_bytes = 0
        self.in_flight_bytes = 0  # of files, sent and not acknowledged; kept by those who send them
        self.sets_times = True
        self.heard_at = clock.monotonic()
        self._unsent: collections.deque[bytes | memoryview] = collections.deque()
        self._received = bytearray()
        self._waiting: dict[int, Then] = {}
        self._numbers = itertools.count(1)
        self._put(packets.hello())

    @property
    def is_idle(self) -> bool:
        """Nothing is asked and not answered."""
        return self.ready and not self._waiting

    @property
    def wants_to_write(self) -> bool:
        return bool(self._unsent)

    def offers(self, extension: bytes) -> bool:
        """Whether the server said that it can do more than version 3."""
        return extension in self.extensions

    def ask(self, kind: int, body: bytes, then: Then, payload: bytes = b"") -> None:
        """Send a request soon; `then` is called with the answer."""
        number = next(self._numbers) & 0xFFFFFFFF
        self._waiting[number] = then
        self._put(packets.head(kind, number, len(body) + len(payload)) + body)
        if payload:
            self._put(payload)

    def ask_extended(self, name: bytes, body: bytes, then: Then) -> None:
        """A request that is no part of version 3."""
        self.ask(Kind.EXTENDED, packets.text(name) + body, then)

    def write(self) -> None:
        """Hand over as much as goes."""
        while self._unsent and self.broken is None:
            group, size = [], 0
            for buffer in itertools.islice(self._unsent, _GROUP_BUFFERS):
                group.append(buffer)
                size += len(buffer)
                if size >= _GROUP_BYTES:
                    break
            try:
                sent = sync_ports.send_buffers(self.transport.socket, group)
            except BlockingIOError:
                return
            except OSError:
                self.give_up()
                return
            self._forget(sent)

    def read(self) -> None:
        """Take what came, and call those who wait for it."""
        try:
            block = self.transport.socket.recv(_BLOCK_BYTES)
        except BlockingIOError:
            return
        except OSError:
            block = b""
        if not block:
            self.give_up()
            return
        self.heard_at = clock.monotonic()
        self._received += block
        try:
            self._take_apart()
        except (packets.Malformed, KeyError, ValueError) as error:
            self.give_up(errors.Offline(f"The server answers with something that is no SFTP: {error}."))

    def give_up(self, error: errors.SyncError | None = None) -> None:
        """The login is over, for this reason or for the one that the transport knows."""
        if self.broken is None:
            self.broken = error or self.transport.explain()
            self._unsent.clear()
            self._waiting.clear()

    def close(self) -> None:
        """Log out."""
        self.give_up(errors.Interrupted())
        self.transport.close()

    def check_silence(self) -> None:
        """Give up a server that owes an answer for too long."""
        owes = self._waiting or not self.ready
        if owes and clock.monotonic() - self.heard_at > _SILENT_SECONDS:
            self.give_up(errors.Offline("The server does not answer any more."))

    def _put(self, buffer: bytes) -> None:
        if not self._waiting or (len(self._waiting) == 1 and not self._unsent):
            self.heard_at = clock.monotonic()  # the silence of one who was not asked does not count
        self._unsent.append(buffer)
        self.unsent_bytes += len(buffer)

    def _forget(self, sent: int) -> None:
        self.unsent_bytes -= sent
        if sent:
            self.heard_at = clock.monotonic()  # a slow line is not a dead one; ssh itself asks a silent server
        unsent = self._unsent
        while sent:
            first = unsent[0]
            if len(first) > sent:
                unsent[0] = memoryview(first)[sent:]
                return
            sent -= len(first)
            unsent.popleft()

    def _take_apart(self) -> None:
        received, at, end = self._received, 0, len(self._received)
        while end - at >= 5:
            length = int.from_bytes(received[at : at + 4], "big")
            if not 0 < length <= packets.MOST_PACKET_BYTES:
                raise packets.Malformed("a packet is too long")
            if end - at - 4 < length:
                break
            body = bytes(received[at + 4 : at + 4 + length])
            at += 4 + length
            self._dispatch(body)
        del received[:at]

    def _dispatch(self, body: bytes) -> None:
        if not self.ready and body[0] == Kind.VERSION:
            self._greet(packets.Reader(body[1:]))
            return
        then = self._waiting.pop(int.from_bytes(body[1:5], "big"))
        then(Reply(body[0], body[5:]))

    def _greet(self, hello: packets.Reader) -> None:
        if hello.u32() != packets.VERSION:
            raise packets.Malformed("it does not speak version 3")
        self.extensions = frozenset(hello.pairs())
        if self.offers(packets.LIMITS):
            self.ask_extended(packets.LIMITS, b"", self._limited)
        else:
            self.ready = True

    def _limited(self, reply: Reply) -> None:
        if reply.kind == Kind.EXTENDED_REPLY:
            limits = packets.Reader(reply.body)
            _, _, most = limits.u64(), limits.u64(), limits.u64()
            wanted = most or packets.USUAL_WRITE_BYTES
            self.write_bytes = max(packets.USUAL_WRITE_BYTES, min(wanted, packets.MOST_PACKET_BYTES // 4))
        self.ready = True


def wait(channel: Channel, until: Callable[[], bool], stop: lib_ports.Waiter) -> None:
    """Pump one channel until something is so. Raises what broke it, or Interrupted."""
    with selectors.DefaultSelector() as selector:
        selector.register(channel.transport.socket, selectors.EVENT_READ | selectors.EVENT_WRITE)
        while not until():
            channel.write()
            wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if channel.wants_to_write else 0)
            if channel.broken is not None:
                raise channel.broken
            selector.modify(channel.transport.socket, wanted)
            if any(mask & selectors.EVENT_READ for _, mask in selector.select(_SLICE_SECONDS)):
                channel.read()
            channel.check_silence()
            if channel.broken is not None:
                raise channel.broken
            if stop.is_set():
                raise errors.Interrupted


def answer(channel: Channel, kind: int, body: bytes, stop: lib_ports.Waiter) -> Reply:
    """Ask one thing and wait for the answer."""
    found: list[Reply] = []
    channel.ask(kind, body, found.append)
    wait(channel, lambda: bool(found), stop)
    return found[0]


def is_ok(reply: Reply) -> bool:
    """Whether it was done."""
    return reply.status == Status.OK
