"""Is a channel on air? Joins it for a moment and says what comes."""

from __future__ import annotations

import selectors
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from nephos.lib import clock
from nephos.recording import health, maps, tables
from nephos.recording.sources import address, base, errors, udp

_ENOUGH_DATAGRAMS = 7
_LEAST_LISTENING_SECONDS = 0.25  # of a stream that is up, so that the rate means something
_BUFFER_BYTES = 1 << 20
_LINE_21 = b"GA94"  # ATSC A/53: what captions in picture data begin with


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
    return hear(Ear(source), timeout=timeout, is_enough=lambda ear: ear.is_clear)


def hear(ear: Ear, *, timeout: timedelta, is_enough: Callable[[Ear], bool]) -> Result:
    """Listen until it is enough or the time is over. Raises SourceError if nothing came of it."""
    began = clock.monotonic()
    ear.source.open()
    try:
        with selectors.DefaultSelector() as selector:
            selector.register(ear.source, selectors.EVENT_READ)
            while (left := began + timeout.total_seconds() - clock.monotonic()) > 0 and not is_enough(ear):
                if selector.select(left):
                    ear.listen(clock.monotonic())
    except errors.SourceError:
        if not ear.has_heard:
            raise
    finally:
        ear.source.close()
    return ear.result(began, clock.monotonic())


class Ear:
    """Adds up what comes from a source."""

    def __init__(self, source: base.Source) -> None:
        self.source = source
        self.maps = maps.Reader()
        self.has_line_21 = False  # captions in the pictures themselves
        self.packet_bytes = 0
        self._health = health.Health()
        self._counts = health.Counts()
        self._first: float | None = None
        self._last = 0.0
        self._sizes: Counter[int] = Counter()  # a flood of small ones must not fill the memory
        self._datagrams = 0
        self._first_bytes = 0
        self._sync_bytes = 0
        self._protocol = ""

    @property
    def has_heard(self) -> bool:
        """Whether anything came."""
        return self._first is not None

    @property
    def heard_seconds(self) -> float:
        """From the first to the last bytes."""
        return self._last - self._first if self._first is not None else 0.0

    @property
    def tables(self) -> tables.Tables:
        """The programme map."""
        return self.maps.tables

    @property
    def is_clear(self) -> bool:
        """Whether there is enough to say that it is up."""
        return self._datagrams >= _ENOUGH_DATAGRAMS and self.heard_seconds >= _LEAST_LISTENING_SECONDS

    def listen(self, now: float) -> None:
        """Something waits. Raises SourceError."""
        self.source.fill()
        load = self.source.take()
        if not load.raw:
            return
        chunk = self.source.decode(load)
        if self._first is None:
            self._first, self._first_bytes = now, len(load.raw)
        self._last = now
        self._sizes.update(load.sizes)
        self._datagrams += len(load.sizes)
        heads = health.heads(chunk.packets)
        if len(heads):
            self._counts += self._health.feed(heads)
            self.maps.look(chunk.packets, heads)
        self.has_line_21 = self.has_line_21 or _LINE_21 in load.raw
        self.packet_bytes = chunk.packet_bytes or self.packet_bytes
        self._sync_bytes += chunk.sync_bytes
        self._protocol = chunk.protocol or self._protocol

    def result(self, began: float, ended: float) -> Result:
        """All of it."""
        total = sum(size * number for size, number in self._sizes.items())
        heard = self.heard_seconds
        return Result(
            state=self._state(total),
            protocol=self._protocol,
            datagrams=self._datagrams,
            payload_bytes=self._sizes.most_common(1)[0][0] if self._sizes else 0,
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
        return State.UP if self._datagrams >= _ENOUGH_DATAGRAMS else State.WEAK
