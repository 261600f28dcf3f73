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
_NOTHING: Bytes = np.empty(0, dtype=np.uint8)


class Unpacker:
    """One stream's memory between loads: the begun packet, the place in the RTP sequence, which protocol it is."""

    def __init__(self) -> None:
        self.protocol = ""
        self._aligner = align.Aligner()
        self._window = rtp.Window()

    def unpack(self, load: base.Load) -> base.Chunk:
        """Whole packets of one load. Never raises, whatever the bytes are. An empty one lets out what is held back."""
        if not len(load.sizes) and not self._window.is_waiting:
            return base.Chunk(packets=_NOTHING, protocol=self.protocol)
        raw = np.frombuffer(load.raw, dtype=np.uint8)
        lost = late = broken = 0
        payload = None
        is_whole = False
        if not self._window.is_waiting:
            payload = self._plain(raw)
            is_whole = payload is not None
            if payload is None:
                payload = self._short_rtp(raw, load.sizes)
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
            packet_bytes=self._aligner.packet_bytes,
        )

    def _plain(self, raw: Bytes) -> Bytes | None:
        if not raw.size or not align.is_aligned(raw):
            return None
        self.protocol = UDP
        return raw

    def _short_rtp(self, raw: Bytes, sizes: Sequence[int]) -> Bytes | None:
        """The payload if all is RTP of one sender and size without a missing number."""
        size = sizes[0] if len(sizes) else 0
        if (size - rtp.HEADER_BYTES) % align.PACKET_BYTES or size <= rtp.HEADER_BYTES or raw.size != size * len(sizes):
            return None
        table = raw.reshape(-1, size)
        if not (table[:, 0] == 0x80).all() or not (table[:, rtp.HEADER_BYTES] == 0x47).all():
            return None
        if sizes.count(size) != len(sizes) or not (table[:, 8:12] == table[0, 8:12]).all():
            return None
        sender = int.from_bytes(table[0, 8:12].tobytes(), "big")
        numbers = (table[:, 2].astype(np.int32) << 8) | table[:, 3]
        if not self._continues(sender, int(numbers[0])):
            return None
        if not (((numbers[1:] - numbers[:-1]) & 0xFFFF) == 1).all():
            return None
        self._window.sequence.step(int(numbers[0]), sender)
        self._window.sequence.last = int(numbers[-1])
        self.protocol = RTP
        return np.ascontiguousarray(table[:, rtp.HEADER_BYTES :]).ravel()

    def _continues(self, sender: int, number: int) -> bool:
        sequence = self._window.sequence
        return sender == sequence.sender and (number - sequence.last) & 0xFFFF == 1

    def _one_by_one(self, load: base.Load) -> tuple[Bytes, int, int, int]:
        """Payload, lost, late and unusable bytes of datagrams that are each judged alone."""
        whole = memoryview(load.raw)
        ends = list(itertools.accumulate(load.sizes))
        datagrams = [whole[end - size : end] for end, size in zip(ends, load.sizes, strict=True)]
        headed = [(head, d) for d in datagrams if (head := rtp.header(d)) is not None]
        window = self._window
        lost, late = window.lost, window.late
        parts = window.feed([(head, bytes(datagram[head.start : head.end])) for head, datagram in headed])
        # Among RTP, what has no such header is error correction or another sender's; it is no part of the stream.
        broken = len(load.raw) - sum(len(datagram) for _, datagram in headed)
        if headed:
            self.protocol = RTP
        elif load.raw:
            self.protocol, broken = UDP, 0
            parts.append(load.raw)
        payload = np.frombuffer(b"".join(parts), dtype=np.uint8)
        return payload, window.lost - lost, window.late - late, broken
