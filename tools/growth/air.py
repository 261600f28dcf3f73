"""A stream at a constant rate, for as long as it takes."""

from __future__ import annotations

import random
import socket
import threading
import time

from tests.fakes import transport

_PACKETS = 7


class Sender:
    """Sends to a group on the loopback interface, from a thread."""

    def __init__(self, bits_per_second: float) -> None:
        self.group = f"239.253.{random.randrange(1, 250)}.{random.randrange(1, 250)}"
        self._rate = bits_per_second
        self._over = threading.Event()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self._thread = threading.Thread(target=self._send, daemon=True)

    def __enter__(self) -> Sender:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._socket.close()

    def _send(self) -> None:
        made = transport.packets(bits_per_second=self._rate)
        began, sent = time.monotonic(), 0
        while not self._over.is_set():
            load = b"".join(next(made) for _ in range(_PACKETS))
            self._socket.sendto(load, (self.group, self.port))
            sent += len(load)
            wait = began + sent * 8 / self._rate - time.monotonic()
            if wait > 0:
                self._over.wait(wait)
