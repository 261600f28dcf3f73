"""A constant-rate multiplexer: each unit is sent after its release and before its deadline, nulls fill the rest."""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import ts

PACKETS_PER_SECOND = 840  # 120 datagrams of seven packets: 1.263 Mb/s
_PCR_EVERY = 16  # packets: 19 ms
_TABLES_EVERY = 84  # packets: 100 ms

PAT_PID, SDT_PID, PMT_PID = 0, 0x11, 0x1000
VIDEO_PID, AUDIO_PID, TELETEXT_PID = 0x100, 0x101, 0x102
_PROGRAMME = 1


@dataclass(frozen=True)
class Load:
    """Packets that belong together and when they may go, in seconds of the stream's position."""

    key: Hashable
    packets: list[bytes]
    release: float
    deadline: float


@dataclass(frozen=True)
class Sent:
    """Where a load lies in the stream, in seconds of position."""

    first: float
    last: float


def tables(teletext_descriptor: bytes) -> list[bytes]:
    """PAT, PMT and SDT, one packet each."""
    language = b"\x0a\x04eng\x00"
    streams = [(0x1B, VIDEO_PID, b""), (0x0F, AUDIO_PID, language), (0x06, TELETEXT_PID, teletext_descriptor)]
    pat = ts.section(0x00, 1, struct.pack(">HH", _PROGRAMME, 0xE000 | PMT_PID))
    body = struct.pack(">HH", 0xE000 | VIDEO_PID, 0xF000)
    for kind, pid, descriptors in streams:
        body += struct.pack(">BHH", kind, 0xE000 | pid, 0xF000 | len(descriptors)) + descriptors
    pmt = ts.section(0x02, _PROGRAMME, body)
    provider, name = b"Nephos", b"Nephos Test"
    service = bytes([0x48, len(provider) + len(name) + 3, 0x01, len(provider)]) + provider + bytes([len(name)]) + name
    sdt = ts.section(0x42, 1, struct.pack(">HBHBH", 1, 0xFF, _PROGRAMME, 0xFC, 0x8000 | len(service)) + service)
    return [ts.section_packet(PAT_PID, pat), ts.section_packet(PMT_PID, pmt), ts.section_packet(SDT_PID, sdt)]


class _Queue:
    """Loads on their way: the released one with the earliest deadline goes next, whole."""

    def __init__(self, loads: Sequence[Load]) -> None:
        self.waiting = sorted(loads, key=lambda load: load.deadline, reverse=True)
        self.packets: list[bytes] = []  # what is left of the current load, the next one last
        self.current: Load | None = None
        self.sent: dict[Hashable, Sent] = {}

    def take(self, at: float) -> bytes | None:
        """The packet for a position, None if none may go yet. Raises ValueError for one that comes too late."""
        if not self.packets:
            self.current = self._released(at)
            self.packets = list(reversed(self.current.packets)) if self.current else []
        if self.current is None:
            return None
        key = self.current.key
        self.sent[key] = Sent(self.sent[key].first if key in self.sent else at, at)
        if at > self.current.deadline:
            raise ValueError(f"{key} is {at - self.current.deadline:.3f} s late: the rate is too small")
        return self.packets.pop()

    def _released(self, at: float) -> Load | None:
        for position in range(len(self.waiting) - 1, max(-1, len(self.waiting) - 40), -1):
            if self.waiting[position].release <= at:
                return self.waiting.pop(position)
        return None


def multiplex(
    loads: Sequence[Load], *, psi: Sequence[bytes], packets: int, pcr_start: int
) -> tuple[bytes, dict[Hashable, Sent]]:
    """The whole stream, and where each load went.

    Raises ValueError if the rate is too small for the loads.
    """
    queue = _Queue(loads)
    output = bytearray()
    counters: Counter[int] = Counter()
    for slot in range(packets):
        if slot % _PCR_EVERY == 0:
            ticks = pcr_start * 300 + round(slot * 27_000_000 / PACKETS_PER_SECOND)
            output += _numbered(ts.pcr_packet(VIDEO_PID, ticks), counters[VIDEO_PID] - 1)
        elif slot % _TABLES_EVERY in (1, 2, 3):
            output += _counted(psi[slot % _TABLES_EVERY - 1], counters)
        elif packet := queue.take(slot / PACKETS_PER_SECOND):
            output += _counted(packet, counters)
        else:
            output += ts.NULL
    if queue.waiting or queue.packets:
        raise ValueError("not all loads found room: the rate is too small")
    return bytes(output), queue.sent


def _counted(packet: bytes, counters: Counter[int]) -> bytes:
    pid = (packet[1] & 0x1F) << 8 | packet[2]
    counters[pid] += 1
    return _numbered(packet, counters[pid] - 1)


def _numbered(packet: bytes, number: int) -> bytes:
    return packet[:3] + bytes([packet[3] & 0xF0 | number & 15]) + packet[4:]
