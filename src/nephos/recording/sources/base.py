"""The protocol that every kind of source fulfils, and the values that it hands over.

A source has two halves. `open fill take close` belong to the receiving thread and must never wait; `decode` belongs to
the writing thread and may take its time. So a slow disk never makes a socket overflow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # numpy costs a tenth of a second, which a restarted recorder would lose before its first join
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Load:
    """Bytes as they came in, with the length of each datagram (or read), oldest first."""

    raw: bytes
    sizes: Sequence[int]
    begins: bool = False  # the first of a stream that does not continue the one before


@dataclass(frozen=True, slots=True)
class Chunk:
    """Whole transport packets out of one load, and what had to be left out or was never there."""

    packets: NDArray[np.uint8]  # flat, a multiple of 188, each starting with 0x47
    datagrams: int = 0
    sync_bytes: int = 0  # outside any packet, left out
    rtp_lost: int = 0  # datagrams that the sequence numbers say existed
    rtp_late: int = 0  # duplicates and latecomers, left out
    protocol: str = ""  # "udp", "rtp" or what the kind calls it; empty while nothing came
    begins: bool = False  # the counters of the packets start anew here
    packet_bytes: int = 0  # of each packet as it came: 192 with a time stamp before it, 204 with parity behind it


@dataclass(frozen=True, slots=True)
class Facts:
    """What the operating system says about an open source."""

    buffer_bytes: int = 0  # granted, not asked for
    dropped: int = 0  # datagrams that the kernel threw away since `open`, because nobody fetched them
    patience_seconds: float = 2.0  # of silence, before opening it again is worth trying


class Source(Protocol):
    """Yields a transport stream. Seven methods; the contract suite is `tests/contracts/test_sources.py`."""

    def open(self) -> None:
        """Begin to receive; again after `close` as often as wanted. Raises SourceError."""

    def close(self) -> None:
        """Leave; does nothing if it is not open."""

    def fileno(self) -> int:
        """What a selector waits on."""

    def fill(self) -> int:
        """Fetch what waits into an own bounded buffer, never waiting; the bytes now held there. Raises SourceError."""

    def take(self) -> Load:
        """Empty that buffer."""

    def decode(self, load: Load) -> Chunk:
        """Whole packets; called in the order of `take`, from one other thread. Never raises on hostile bytes.

        An empty load means that nothing came for a while: what was held back comes out.
        """

    def facts(self) -> Facts:
        """What is known about the open source."""
