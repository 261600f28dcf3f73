"""Channels sent from one thread. Every packet says which it is; when each was sent, or that it was not, is known."""

from __future__ import annotations

import os
import socket
import struct
import threading
import time
from array import array
from collections.abc import Iterator

PACKETS = 7
PACKET_BYTES = 188
BITS_PER_SECOND = 250_000
SPACING = PACKETS * PACKET_BYTES * 8 / BITS_PER_SECOND
NOT_SENT = -1.0


def groups(count: int) -> Iterator[tuple[int, str]]:
    """So many numbers and groups. They are this process's own: two soaks side by side do not hear one another."""
    high, low = os.getpid() // 256 % 60 + 192, os.getpid() % 256
    return ((number, f"239.{high}.{low}.{number + 1}") for number in range(count))


def free_port() -> int:
    """A UDP port that nobody uses just now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Channel:
    """One group. `sent_at[n]` is when the datagram of packets 7n to 7n+6 went out."""

    def __init__(self, number: int, group: str, port: int) -> None:
        self.number = number
        self.name = f"Soak {number:02}"
        self.group = group
        self.url = f"udp://{group}:{port}?interface=127.0.0.1"
        self.sent_at = array("d")
        self.silent_until = 0.0
        self._to = (group, port)

    def send(self, out: socket.socket, now: float) -> None:
        """The next datagram; during a pause the stream goes on unsent, as behind a cut cable."""
        first = len(self.sent_at) * PACKETS
        if now < self.silent_until:
            self.sent_at.append(NOT_SENT)
            return
        out.sendto(b"".join(_packet(self.number, first + place) for place in range(PACKETS)), self._to)
        self.sent_at.append(time.time())


def _packet(channel: int, sequence: int) -> bytes:
    head = struct.pack(">BHBQH", 0x47, 0x0100, 0x10 | sequence % 16, sequence, channel)
    return head.ljust(PACKET_BYTES, b"\xab")


class Air:
    """All channels, until `stop`."""

    def __init__(self, channels: list[Channel]) -> None:
        self.channels = channels
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="air", daemon=True)
        self._out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._out.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
        self._out.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 0)
        self._out.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
        self._out.bind(("127.0.0.1", 0))

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(5)
        self._out.close()

    def _run(self) -> None:
        began = time.monotonic()
        tick = 0
        while not self._stop.is_set():
            for place, channel in enumerate(self.channels):
                due = began + (tick + place / len(self.channels)) * SPACING
                if (wait := due - time.monotonic()) > 0:
                    time.sleep(wait)
                channel.send(self._out, time.monotonic())
            tick += 1
