"""One login, with many requests on their way at once: each has a function that is called with its answer."""

from __future__ import annotations

import itertools
import selectors
import struct
from collections.abc import Callable, Iterable, Sequence

from nephos.lib import clock
from nephos.lib import ports as lib_ports
from nephos.sync import errors
from nephos.sync.connections.sftp import packets
from nephos.sync.connections.sftp.outgoing import Outgoing, Spoiled
from nephos.sync.connections.sftp.packets import Kind, Reply, Status
from nephos.sync.connections.sftp.source import Source
from nephos.sync.connections.sftp.transport import Transport

_BLOCK_BYTES = 256 * 1024
_SILENT_SECONDS = 60.0
_SLICE_SECONDS = 0.25
_ANSWER = struct.Struct(">IBI")  # length, kind, number of the request
_CODE = struct.Struct(">I")
_FAR_SECONDS = 0.01

Then = Callable[[Reply], None]


class Channel:
    """For one thread at a time. It breaks once: then `broken` says why, and what was asked is never answered."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self.broken: errors.SyncError | None = None
        self.ready = False
        self.extensions: frozenset[bytes] = frozenset()
        self.write_bytes = packets.USUAL_WRITE_BYTES
        self.round_trip_seconds = 0.0
        self.in_flight_bytes = 0  # of files, sent and not acknowledged; kept by those who send them
        self.sets_times = True
        self.heard_at = clock.monotonic()
        self._outgoing = Outgoing()
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
        return bool(self._outgoing)

    @property
    def unsent_bytes(self) -> int:
        return self._outgoing.bytes

    @property
    def is_far(self) -> bool:
        """Whether an answer takes so long that much must be on its way."""
        return self.round_trip_seconds > _FAR_SECONDS

    def offers(self, extension: bytes) -> bool:
        """Whether the server said that it can do more than version 3."""
        return extension in self.extensions

    def ask(self, kind: int, body: bytes, then: Then) -> None:
        """Send a request soon; `then` is called with the answer."""
        self._put(self._packet(kind, body, then))

    def ask_all(self, requests: Iterable[tuple[int, bytes, Then]]) -> None:
        """Several at once, of which none needs the answer to another."""
        self._put(b"".join([self._packet(*request) for request in requests]))

    def ask_extended(self, name: bytes, body: bytes, then: Then) -> None:
        """A request that is no part of version 3."""
        self.ask(Kind.EXTENDED, packets.text(name) + body, then)

    def ask_write(self, handle: bytes, source: Source, span: tuple[int, int], *, then: Then, spoiled: Spoiled) -> None:
        """Write a piece of a file, from a byte to a byte; it goes from the file to the socket without passing here."""
        start, end = span
        self._put(self._packet(Kind.WRITE, packets.write(handle, start, end - start), then, following=end - start))
        self._outgoing.put_piece(source, start, end - start, spoiled)

    def write(self) -> None:
        """Hand over as much as goes."""
        while self._outgoing and self.broken is None:
            try:
                sent = self._outgoing.hand_over(self.transport.socket)
            except BlockingIOError:
                return
            except OSError:
                self.give_up()
                return
            if sent:
                self.heard_at = clock.monotonic()  # a slow line is not a dead one; ssh itself asks a silent server

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
            self._outgoing.clear()
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

    def _packet(self, kind: int, body: bytes, then: Then, following: int = 0) -> bytes:
        number = next(self._numbers) & 0xFFFFFFFF
        self._waiting[number] = then
        return packets.head(kind, number, len(body) + following) + body

    def _put(self, packet: bytes) -> None:
        if not self._outgoing and len(self._waiting) <= 1:
            self.heard_at = clock.monotonic()  # the silence of one who was not asked does not count
        self._outgoing.put(packet)

    def _take_apart(self) -> None:
        received, at, end = self._received, 0, len(self._received)
        while end - at >= 9:
            length, kind, number = _ANSWER.unpack_from(received, at)
            if not 5 <= length <= packets.MOST_PACKET_BYTES:
                raise packets.Malformed("a packet has an impossible length")
            following = at + 4 + length
            if following > end:
                break
            if kind == Kind.STATUS and length >= 9 and not _CODE.unpack_from(received, at + 9)[0]:
                self._waiting.pop(number)(packets.OK)
            else:
                self._dispatch(kind, number, bytes(received[at + 9 : following]))
            at = following
        del received[:at]

    def _dispatch(self, kind: int, number: int, body: bytes) -> None:
        if kind == Kind.VERSION and not self.ready and not self._waiting:
            self._greet(number, packets.Reader(body))
        else:
            self._waiting.pop(number)(Reply(kind, body))

    def _greet(self, version: int, more: packets.Reader) -> None:
        if version != packets.VERSION:
            raise packets.Malformed("it does not speak version 3")
        self.extensions = frozenset(more.pairs())
        asked_at = clock.monotonic()

        def answered(reply: Reply) -> None:
            self.round_trip_seconds = clock.monotonic() - asked_at
            if reply.kind == Kind.EXTENDED_REPLY:
                self._limit(packets.Reader(reply.body))
            self.ready = True

        if self.offers(packets.LIMITS):
            self.ask_extended(packets.LIMITS, b"", answered)
        else:
            self.ask(Kind.STAT, packets.text(b"."), answered)  # only to see how far away it is

    def _limit(self, limits: packets.Reader) -> None:
        _, _, most = limits.u64(), limits.u64(), limits.u64()
        wanted = most or packets.USUAL_WRITE_BYTES
        self.write_bytes = max(packets.USUAL_WRITE_BYTES, min(wanted, packets.MOST_PACKET_BYTES // 4))


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
    return answers(channel, [(kind, body)], stop)[0]


def answers(channel: Channel, requests: Sequence[tuple[int, bytes]], stop: lib_ports.Waiter) -> list[Reply]:
    """Ask several things, of which none needs the answer to another, and wait for all; servers work in order."""
    found: dict[int, Reply] = {}

    def keep(number: int) -> Then:
        return lambda reply: found.update({number: reply})

    channel.ask_all([(kind, body, keep(number)) for number, (kind, body) in enumerate(requests)])
    wait(channel, lambda: len(found) == len(requests), stop)
    return [found[number] for number in range(len(requests))]


def is_ok(reply: Reply) -> bool:
    """Whether it was done."""
    return reply.status == Status.OK
