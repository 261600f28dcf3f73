"""How healthy a transport stream is: continuity by ISO 13818-1, lost, null, scrambled and broken packets, the clock.

Numpy on blocks of packets; all state is a few arrays of 8192 entries, one a PID, so a hostile stream cannot make it
grow. Measured: see benchmarks/main_recorder.py.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

PACKET_BYTES = 188
SYNC = 0x47
NULL_PID = 0x1FFF
_PIDS = 8192
_UNKNOWN = 255
_HEAD_BYTES = 12  # up to the end of a clock reference

Bytes = NDArray[np.uint8]
T = TypeVar("T", bound=np.generic)


@dataclass(frozen=True, slots=True)
class Counts:
    """What one block showed. `pcr` is the last programme clock reference in it, in ticks of 27 MHz."""

    packets: int = 0
    cc: int = 0  # continuity errors
    missing: int = 0  # packets that these errors stand for, at least
    duplicates: int = 0  # allowed ones
    null: int = 0
    scrambled: int = 0
    tei: int = 0  # marked as broken by the transmission before us
    pcr: int | None = None

    def __add__(self, other: Counts) -> Counts:
        if self is _NONE:  # as in nearly every second of every channel
            return other
        sums = {name: getattr(self, name) + getattr(other, name) for name in _SUMMED}
        return Counts(**sums, pcr=self.pcr if other.pcr is None else other.pcr)


_NONE = Counts()
_SUMMED = tuple(field.name for field in fields(Counts) if field.name != "pcr")


def none() -> Counts:
    """Nothing was seen yet."""
    return _NONE


def heads(stream: Bytes) -> Bytes:
    """What is judged of each packet: its first 12 bytes. An incomplete last packet is left out."""
    return stream[: stream.size - stream.size % PACKET_BYTES].reshape(-1, PACKET_BYTES)[:, :_HEAD_BYTES].copy()


class Health:
    """Remembers between blocks what the next packet of each PID must carry."""

    def __init__(self) -> None:
        self._last = np.full(_PIDS, _UNKNOWN, dtype=np.uint8)
        self._had_payload = np.zeros(_PIDS, dtype=np.bool_)
        self._was_repeat = np.zeros(_PIDS, dtype=np.bool_)
        self._clock_pid = -1

    def forget(self) -> None:
        """The stream starts anew: nothing is expected of the next packets."""
        self._last.fill(_UNKNOWN)
        self._was_repeat.fill(0)
        self._clock_pid = -1

    def feed(self, packets: Bytes) -> Counts:
        """Judge the heads of packets, in the order they came; what lacks the sync byte is not judged."""
        if not len(packets):
            return Counts()
        word = np.ascontiguousarray(packets[:, :4]).view(">u4").ravel().astype(np.uint32)
        in_sync = (word >> 24) == SYNC
        pid = ((word >> 8) & NULL_PID).astype(np.uint16)
        is_null = (pid == NULL_PID) & in_sync
        is_broken = ((word & 0x0080_0000) != 0) & in_sync
        is_scrambled = ((word & 0xC0) != 0) & in_sync & ~is_null
        # Nothing is concluded from a packet marked broken (ETSI TR 101 290), nor from the reserved adaptation code 00.
        judged = np.flatnonzero(in_sync & ~is_null & ~is_broken & ((word & 0x30) != 0))
        order = judged[np.argsort(pid[judged], kind="stable")]
        cc, missing, duplicates, pcr = self._judge(packets, order, word[order], pid[order])
        return Counts(
            packets=len(packets),
            cc=cc,
            missing=missing,
            duplicates=duplicates,
            null=int(np.count_nonzero(is_null)),
            scrambled=int(np.count_nonzero(is_scrambled)),
            tei=int(np.count_nonzero(is_broken)),
            pcr=pcr,
        )

    def _judge(
        self, packets: NDArray[np.uint8], order: NDArray[np.intp], word: NDArray[np.uint32], pid: NDArray[np.uint16]
    ) -> tuple[int, int, int, int | None]:
        """Continuity of packets grouped by PID, each group in the order of arrival."""
        if not order.size:
            return 0, 0, 0, None
        starts = np.flatnonzero(np.concatenate(([True], pid[1:] != pid[:-1])))
        ends = np.append(starts[1:], order.size) - 1
        heads, tails = pid[starts], pid[ends]
        counter = (word & 0x0F).astype(np.uint8)
        payload = (word & 0x10) != 0
        jumps, pcr = self._adaptation(packets, order, np.flatnonzero((word & 0x20) != 0), pid)
        before = _shifted(counter, starts, self._last[heads])
        payload_before = _shifted(payload, starts, self._had_payload[heads])
        repeat = payload & payload_before & (counter == before)
        if jumps.size:
            repeat[jumps] = False
        again = repeat & _shifted(repeat, starts, self._was_repeat[heads])  # a packet may be sent twice, not thrice
        expected = (before + payload) & 0x0F
        wrong = (counter != expected) & (before != _UNKNOWN) & (again | ~repeat)
        if jumps.size:
            wrong[jumps] = False
        lost = wrong & ~repeat
        self._last[tails] = counter[ends]
        self._had_payload[tails] = payload[ends]
        self._was_repeat[tails] = repeat[ends]
        errors = int(np.count_nonzero(wrong))
        missing = int(((counter[lost] - expected[lost]) & 0x0F).sum()) if errors else 0
        return errors, missing, int(np.count_nonzero(repeat & ~again)), pcr

    def _adaptation(
        self,
        packets: NDArray[np.uint8],
        order: NDArray[np.intp],
        places: NDArray[np.intp],
        pid: NDArray[np.uint16],
    ) -> tuple[NDArray[np.intp], int | None]:
        """Where the stream itself announces a jump of the counter, and the last clock reference."""
        if not places.size:
            return places, None
        length = packets[order[places], 4]
        flags = packets[order[places], 5]
        jumps = places[(length > 0) & ((flags & 0x80) != 0)]
        clocks = places[(length >= 7) & ((flags & 0x10) != 0)]
        if not clocks.size:
            return jumps, None
        same = clocks[pid[clocks] == self._clock_pid]
        if not same.size:  # the first one, or that programme went away
            self._clock_pid = int(pid[clocks[np.argmin(order[clocks])]])
            same = clocks[pid[clocks] == self._clock_pid]
        return jumps, _clock(packets[order[same[-1]], 6:12])


def _shifted(values: NDArray[T], starts: NDArray[np.intp], carried: NDArray[T]) -> NDArray[T]:
    """What each entry's predecessor in its group was; for the first of a group what was carried over."""
    before = np.empty_like(values)
    before[1:] = values[:-1]
    before[starts] = carried
    return before


def _clock(field: Bytes) -> int:
    raw = int.from_bytes(field.tobytes(), "big")
    return (raw >> 15) * 300 + (raw & 0x1FF)
