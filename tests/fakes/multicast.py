"""A paced sender of a transport stream to a multicast group on the loopback interface, for tests."""

from __future__ import annotations

import itertools
import random
import socket
import struct
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType

from tests.fakes import transport

_PACKETS_PER_DATAGRAM = 7
_LATEST_SECONDS = 120.0
_groups = itertools.count(random.SystemRandom().randrange(60_000))  # processes of tests run side by side


def free_group() -> str:
    """A group that no other test uses, nor the run before."""
    middle, low = divmod(next(_groups) % 60_000, 250)
    return f"239.200.{middle + 1}.{low + 1}"


def free_port() -> int:
    """A UDP port that nobody is bound to."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _ipv4(interface: str, sender: str) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(interface))
    made.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 0 if interface.startswith("127.") else 1)
    made.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 1)
    if sender or interface.startswith("127."):
        made.bind((sender or interface, 0))  # else the sender's address would be that of another interface
    return made


def _ipv6(interface: str, sender: str) -> socket.socket:
    """`interface` is a name here."""
    made = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, socket.if_nametoindex(interface))
    made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 1)
    if sender:
        made.bind((sender, 0))
    return made


class MulticastSender:
    """Sends a file or a generated stream, 7 packets a datagram, at a constant rate, from a thread.

    `sent` is everything that went out (payload only), as long as `keep` is set. Ends with the file unless `loop`, at
    `seconds`, at `stop`, and in any case after two minutes.
    """

    def __init__(
        self,
        group: str,
        port: int,
        *,
        source: Path | bytes | None = None,
        bits_per_second: float = 4e6,
        rtp: bool = False,
        loop: bool = False,
        seconds: float | None = None,
        interface: str = "127.0.0.1",
        sender: str = "",
        first_sequence: int = 0,
        salt: int = 0,
        keep: bool = True,
    ) -> None:
        self.group = group
        self.port = port
        self.datagrams = 0
        self.started_at = 0.0  # seconds since 1970
        self._kept: list[bytes] = []
        self._kept_at: list[float] = []
        self._source = source
        self._rate = bits_per_second
        self._rtp = rtp
        self._loop = loop
        self._seconds = min(seconds or _LATEST_SECONDS, _LATEST_SECONDS)
        self._sequence = first_sequence
        self._salt = salt
        self._keep = keep
        self._stop = threading.Event()
        self._paused = threading.Event()
        self._socket = _ipv6(interface, sender) if ":" in group else _ipv4(interface, sender)
        self._thread = threading.Thread(target=self._send_all, name="multicast-sender", daemon=True)

    @property
    def url(self) -> str:
        """How a channel names this stream."""
        return f"udp://[{self.group}]:{self.port}" if ":" in self.group else f"udp://{self.group}:{self.port}"

    @property
    def sent(self) -> bytes:
        """The transport stream that went out so far."""
        return b"".join(self._kept)

    def sent_before(self, moment: float) -> int:
        """The bytes of `sent` that went out before a moment (seconds since 1970)."""
        return sum(len(piece) for piece, at in zip(self._kept, self._kept_at, strict=True) if at < moment)

    def start(self) -> MulticastSender:
        self.started_at = time.time()
        self._thread.start()
        return self

    def stop(self) -> None:
        """End, and wait for it."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(5)
        self._socket.close()

    def join(self, timeout: float = _LATEST_SECONDS) -> None:
        """Wait until everything is sent."""
        self._thread.join(timeout)

    def pause(self) -> None:
        """Go on with the stream without sending it: what a cut cable does."""
        self._paused.set()

    def resume(self) -> None:
        self._paused.clear()

    def send(self, datagram: bytes) -> None:
        """One datagram as it is, beside the stream."""
        self._socket.sendto(datagram, (self.group, self.port))

    def __enter__(self) -> MulticastSender:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _send_all(self) -> None:
        began = time.monotonic()
        sent_bytes = 0
        for payload in self._payloads():
            due = began + sent_bytes * 8 / self._rate
            while (wait := due - time.monotonic()) > 0:
                if self._stop.wait(min(wait, 0.2)):
                    return
            if self._stop.is_set() or due - began >= self._seconds:
                return
            sent_bytes += len(payload)
            self._send(payload)

    def _send(self, payload: bytes) -> None:
        datagram = transport.rtp(payload, self._sequence) if self._rtp else payload
        self._sequence += 1
        if self._paused.is_set():
            return
        at = time.time()
        self._socket.sendto(datagram, (self.group, self.port))
        self.datagrams += 1
        if self._keep:
            self._kept.append(payload)
            self._kept_at.append(at)

    def _payloads(self) -> Iterator[bytes]:
        size = _PACKETS_PER_DATAGRAM * transport.PACKET_BYTES
        if self._source is None:
            endless = transport.packets(bits_per_second=self._rate, salt=self._salt)
            while True:
                yield b"".join(itertools.islice(endless, _PACKETS_PER_DATAGRAM))
        whole = self._source if isinstance(self._source, bytes) else self._source.read_bytes()
        passes: Iterable[None] = itertools.repeat(None) if self._loop else [None]
        for _ in passes:
            for start in range(0, len(whole), size):
                yield whole[start : start + size]


def join_count(group: str) -> int:
    """How many sockets of this machine have joined a group (from /proc/net/igmp)."""
    wanted = f"{struct.unpack('<I', socket.inet_aton(group))[0]:08X}"
    total = 0
    for line in Path("/proc/net/igmp").read_text().splitlines():
        fields = line.split()
        if fields and fields[0] == wanted:
            total += int(fields[1])
    return total
