"""Is a channel on air? Joins it for a moment and says what comes."""

from __future__ import annotations

import selectors
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from nephos.lib import clock
from nephos.recording import health
from nephos.recording.sources import address, udp

_ENOUGH_DATAGRAMS = 7
_LEAST_LISTENING_SECONDS = 0.25  # of a stream that is up, so that the rate means something
_BUFFER_BYTES = 1 << 20


class State(StrEnum):
    UP = "up"
    WEAK = "weak"  # a transport stream, but too little of it in that time
    DOWN = "down"
    NOT_TS = "not-ts"


@dataclass(frozen=True, slots=True)
class Result:
    """What was heard. `down` on a real network means little before a second try: joining takes its time there."""

    state: State
    protocol: str = ""
    datagrams: int = 0
    payload_bytes: int = 0  # of a usual datagram, the RTP header included
    largest_bytes: int = 0
    bits_per_second: int = 0
    packets: int = 0
    null_packets: int = 0
    scrambled_packets: int = 0
    continuity_errors: int = 0
    sync_bytes: int = 0
    first_after: timedelta | None = None
    took: timedelta = timedelta(0)

    @property
    def has_programme(self) -> bool:
        """Whether anything but stuffing comes: a carrier alone is no programme."""
        return self.packets > self.null_packets


def probe(place: address.Address, *, interface: str = "", timeout: timedelta = timedelta(seconds=2)) -> Result:
    """Listen until it is clear or the time is over. Raises SourceError if it cannot even be tried."""
    source = udp.UdpSource(place, interface=interface, buffer_bytes=_BUFFER_BYTES)
    ear = _Ear(source)
    began = clock.monotonic()
    source.open()
    try:
        with selectors.DefaultSelector() as selector:
            selector.register(source, selectors.EVENT_READ)
            while (left := began + timeout.total_seconds() - clock.monotonic()) > 0 and not ear.is_clear:
                if selector.select(left):
                    ear.listen(clock.monotonic())
    finally:
        source.close()
    return ear.result(began, clock.monotonic())


class _Ear:
    """Adds up what came."""

    def __init__(self, source: udp.UdpSource) -> None:
        self._source = source
        self._health = health.Health()
        self._counts = health.Counts()
        self._first: float | None = None
        self._last = 0.0
        self._sizes: list[int] = []
        self._first_bytes = 0
        self._sync_bytes = 0
        self._protocol = ""

    @property
    def is_clear(self) -> bool:
        heard = self._last - self._first if self._first is not None else 0.0
        return len(self._sizes) >= _ENOUGH_DATAGRAMS and heard >= _LEAST_LISTENING_SECONDS

    def listen(self, now: float) -> None:
        self._source.fill()
        load = self._source.take()
        chunk = self._source.decode(load)
        if self._first is None:
            self._first, self._first_bytes = now, len(load.raw)
        self._last = now
        self._sizes += load.sizes
        self._counts += self._health.feed(health.heads(chunk.packets))
        self._sync_bytes += chunk.sync_bytes
        self._protocol = chunk.protocol or self._protocol

    def result(self, began: float, ended: float) -> Result:
        total = sum(self._sizes)
        heard = self._last - self._first if self._first is not None else 0.0
        return Result(
            state=self._state(total),
            protocol=self._protocol,
            datagrams=len(self._sizes),
            payload_bytes=max(set(self._sizes), key=self._sizes.count) if self._sizes else 0,
            largest_bytes=max(self._sizes, default=0),
            bits_per_second=round((total - self._first_bytes) * 8 / heard) if heard > 0 else 0,
            packets=self._counts.packets,
            null_packets=self._counts.null,
            scrambled_packets=self._counts.scrambled,
            continuity_errors=self._counts.cc,
            sync_bytes=self._sync_bytes,
            first_after=timedelta(seconds=self._first - began) if self._first is not None else None,
            took=timedelta(seconds=ended - began),
        )

    def _state(self, total: int) -> State:
        if not self._sizes:
            return State.DOWN
        if self._counts.packets * health.PACKET_BYTES * 2 < total:
            return State.NOT_TS
        return State.UP if len(self._sizes) >= _ENOUGH_DATAGRAMS else State.WEAK
