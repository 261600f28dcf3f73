"""Transport packets out of datagrams: UDP and RTP told apart by looking, repaired, counted.

The common cases (plain UDP; RTP with the short header and an unbroken sequence) are a few numpy operations on a whole
load; anything else takes the slow way, datagram by datagram.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nephos.recording.sources import align, base, rtp

UDP = "udp"
RTP = "rtp"

Bytes = NDArray[np.uint8]


class Unpacker:
    """One stream's memory between loads: the begun packet, the place in the RTP sequence, which protocol it is."""

    def __init__(self) -> None:
        self.protocol = ""
        self._aligner = align.Aligner()
        self._sequence = rtp.Sequence()

    def unpack(self, load: base.Load) -> base.Chunk:
        """Whole packets of one load. Never raises, whatever the bytes are."""
        raw = np.frombuffer(load.raw, dtype=np.uint8)
        lost = late = broken = 0
        payload = self._plain(raw)
        is_whole = payload is not None
        if payload is None:
            payload, lost = self._short_rtp(raw, load.sizes)
        if payload is None:
            payload, lost, late, broken = self._one_by_one(load)
        packets, skipped = self._aligner.feed(payload, is_whole=is_whole)
        return base.Chunk(
            packets=packets,
            datagrams=len(load.sizes),
            sync_bytes=skipped + broken,
            rtp_lost=lost,
            rtp_late=late,
            protocol=self.protocol,
        )

    def _plain(self, raw: Bytes) -> Bytes | None:
        if not raw.size or not align.is_aligned(raw):
            return None
        self.protocol = UDP
        return raw

    def _short_rtp(self, raw: Bytes, sizes: Sequence[int]) -> tuple[Bytes | None, int]:
        """The payload if all is RTP of one sender and size with rising numbers, and the count of missing ones."""
        size = sizes[0] if len(sizes) else 0
        if (size - rtp.HEADER_BYTES) % align.PACKET_BYTES or size <= rtp.HEADER_BYTES or raw.size != size * len(sizes):
            return None, 0
        table = raw.reshape(-1, size)
        if not (table[:, 0] == 0x80).all() or not (table[:, rtp.HEADER_BYTES] == 0x47).all():
            return None, 0
        if sizes.count(size) != len(sizes) or not (table[:, 8:12] == table[0, 8:12]).all():
            return None, 0
        sender = int.from_bytes(table[0, 8:12].tobytes(), "big")
        numbers = (table[:, 2].astype(np.int32) << 8) | table[:, 3]
        if not self._continues(sender, int(numbers[0])):
            return None, 0
        steps = (numbers[1:] - numbers[:-1]) & 0xFFFF
        if steps.size and (steps.min() == 0 or steps.max() > 1000):
            return None, 0
        lost = (self._sequence.step(int(numbers[0]), sender) or 0) + int(steps.sum()) - int(steps.size)
        self._sequence.last = int(numbers[-1])
        self.protocol = RTP
        return np.ascontiguousarray(table[:, rtp.HEADER_BYTES :]).ravel(), lost

    def _continues(self, sender: int, number: int) -> bool:
        return sender == self._sequence.sender and 0 < (number - self._sequence.last) & 0xFFFF <= 1000

    def _one_by_one(self, load: base.Load) -> tuple[Bytes, int, int, int]:
        """Payload, lost, late and unusable bytes of datagrams that are each judged alone."""
        whole = memoryview(load.raw)
        ends = list(itertools.accumulate(load.sizes))
        datagrams = [whole[end - size : end] for end, size in zip(ends, load.sizes, strict=True)]
        headed = [(head, place) for place, d in enumerate(datagrams) if (head := rtp.header(d)) is not None]
        if not headed:
            if load.raw:
                self.protocol = UDP
            return np.frombuffer(load.raw, dtype=np.uint8), 0, 0, 0
        self.protocol = RTP
        lost = late = 0
        parts: list[memoryview] = []
        for head, place in rtp.in_order(headed):
            missing = self._sequence.step(head.sequence, head.sender)
            if missing is None:
                late += 1
                continue
            lost += missing
            parts.append(datagrams[place][head.start : head.end])
        # Among RTP, what has no such header is error correction or another sender's; it is no part of the stream.
        broken = len(load.raw) - sum(len(datagrams[place]) for _, place in headed)
        return np.frombuffer(b"".join(parts), dtype=np.uint8), lost, late, broken
