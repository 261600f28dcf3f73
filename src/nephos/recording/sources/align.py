"""Find whole packets in bytes that may start anywhere, break off, or carry extra bytes between packets."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nephos.recording import health

PACKET_BYTES = health.PACKET_BYTES
_STRIDES = (188, 204, 192)  # plain, with Reed-Solomon bytes after each packet, with a time stamp before each
_PROOF = 3  # this many sync bytes in step are taken for packets
_WINDOW = 2 * max(_STRIDES) + 1  # bytes that may still become the start of packets

Bytes = NDArray[np.uint8]
_NOTHING: Bytes = np.empty(0, dtype=np.uint8)


class Aligner:
    """Keeps at most a few hundred bytes between calls, whatever comes in."""

    def __init__(self) -> None:
        self._rest = _NOTHING
        self._stride = PACKET_BYTES  # 0: sync is lost

    @property
    def packet_bytes(self) -> int:
        """From one packet to the next as they came in; 0 while none is found."""
        return self._stride

    def feed(self, fresh: Bytes, *, is_whole: bool = False, continues: bool = False) -> tuple[Bytes, int]:
        """Whole packets, each starting with the sync byte, and how many bytes were left out as no part of any.

        `is_whole` spares the look at bytes that are known to be aligned. `continues`: no bytes were lost before these.
        """
        if (is_whole or is_aligned(fresh)) and self._is_own_start(fresh, continues=continues):
            skipped, self._rest, self._stride = int(self._rest.size), _NOTHING, PACKET_BYTES
            return fresh, skipped
        stream = np.concatenate((self._rest, fresh)) if self._rest.size else fresh
        found: list[Bytes] = []
        place, skipped = 0, 0
        while True:
            if self._stride:
                place = self._follow(stream, place, found)
            if self._stride or stream.size - place < _WINDOW:
                break
            start = self._find(stream, place)
            skipped += start - place
            place = start
        self._rest = stream[place:].copy()
        return (np.concatenate(found) if found else _NOTHING), skipped

    def _is_own_start(self, fresh: Bytes, *, continues: bool) -> bool:
        """Whether these aligned bytes need nothing from before: a packet begun earlier was cut off for good."""
        if not self._rest.size and self._stride == PACKET_BYTES:
            return True
        return not continues and fresh.size >= _PROOF * PACKET_BYTES

    def _follow(self, stream: Bytes, place: int, found: list[Bytes]) -> int:
        """Take packets while they are in step; returns where it ended, with the stride set to 0 where sync was lost."""
        count = (stream.size - place) // self._stride
        if not count:
            return place
        table = stream[place : place + count * self._stride].reshape(count, self._stride)
        in_step = table[:, 0] == health.SYNC
        good = count if in_step.all() else int(np.argmin(in_step))
        if good:
            found.append(np.ascontiguousarray(table[:good, :PACKET_BYTES]).ravel())
            place += good * self._stride
        if good < count:
            self._stride = 0
        return place

    def _find(self, stream: Bytes, place: int) -> int:
        """The next place where packets are in step, setting the stride; else the first that may yet become one."""
        sync = stream[place:] == health.SYNC
        best, best_stride = int(sync.size) - _WINDOW + 1, 0
        for stride in _STRIDES:
            reach = sync.size - (_PROOF - 1) * stride
            proof = sync[:reach].copy()
            for step in range(1, _PROOF):
                proof &= sync[step * stride : step * stride + reach]
            first = int(np.argmax(proof))
            if proof[first] and first < best:
                best, best_stride = first, stride
        self._stride = best_stride
        return place + best


def is_aligned(stream: Bytes) -> bool:
    """Whether these are whole packets and nothing else."""
    return stream.size % PACKET_BYTES == 0 and bool((stream[::PACKET_BYTES] == health.SYNC).all())
