"""Transport stream packets (ISO/IEC 13818-1): sections, PES packets, clocks, and reading a PES back."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

PACKET = 188
CLOCK = 90_000
NULL = b"\x47\x1f\xff\x10" + b"\xff" * 184


def crc32(section: bytes) -> int:
    """The checksum of a section."""
    crc = 0xFFFFFFFF
    for byte in section:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ (0x04C11DB7 if crc & 0x80000000 else 0)) & 0xFFFFFFFF
    return crc


def section(table: int, identity: int, body: bytes) -> bytes:
    """A whole section of version 0 with its header and checksum."""
    head = struct.pack(">BHHBBB", table, 0xB000 | (len(body) + 9), identity, 0xC1, 0, 0)
    whole = head + body
    return whole + struct.pack(">I", crc32(whole))


def section_packet(pid: int, content: bytes) -> bytes:
    """One packet that holds a whole section; its counter is set by the multiplexer."""
    packet = struct.pack(">BHBB", 0x47, 0x4000 | pid, 0x10, 0) + content
    return packet.ljust(PACKET, b"\xff")


def stamp(mark: int, ticks: int) -> bytes:
    """A PTS or DTS field."""
    ticks &= (1 << 33) - 1
    high, middle, low = ticks >> 30, ticks >> 15 & 0x7FFF, ticks & 0x7FFF
    return struct.pack(">BHH", mark << 4 | high << 1 | 1, middle << 1 | 1, low << 1 | 1)


def read_stamp(field: bytes) -> int:
    """The ticks of a PTS or DTS field."""
    first, middle, low = struct.unpack(">BHH", field)
    return (first >> 1 & 7) << 30 | middle >> 1 << 15 | low >> 1


def pcr_field(ticks_27mhz: int) -> bytes:
    """The six bytes of a programme clock reference."""
    base, extension = divmod(ticks_27mhz, 300)
    base &= (1 << 33) - 1
    return (base << 15 | 0x3F << 9 | extension).to_bytes(6, "big")


def read_pcr(field: bytes) -> int:
    """The 27 MHz ticks of six bytes."""
    number = int.from_bytes(field, "big")
    return (number >> 15) * 300 + (number & 0x1FF)


def pcr_packet(pid: int, ticks_27mhz: int) -> bytes:
    """A packet with a clock and no payload: its counter repeats the one before."""
    return struct.pack(">BHBBB", 0x47, pid, 0x20, 183, 0x10) + pcr_field(ticks_27mhz) + b"\xff" * 176


def packetise(pid: int, pes: bytes, *, random_access: bool = False) -> list[bytes]:
    """One PES packet cut into transport packets; the last one is filled up by its adaptation field."""
    packets = []
    position = 0
    while position < len(pes):
        first = position == 0
        field = b"\x40" if first and random_access else b""
        room = 184 - (len(field) + 1 if field else 0)
        payload = pes[position : position + room]
        missing = room - len(payload)
        if missing:
            extra = missing if field else missing - 1
            field = (field or (b"\x00" if extra else b"")).ljust(len(field) + extra, b"\xff")
        control = 0x30 if field or missing else 0x10
        head = struct.pack(">BHB", 0x47, (0x4000 if first else 0) | pid, control)
        packets.append(head + (bytes([len(field)]) + field if control == 0x30 else b"") + payload)
        position += len(payload)
    return packets


@dataclass(frozen=True)
class Unit:
    """The payload of one PES packet and its times."""

    pts: int
    dts: int
    payload: bytes


def read_units(stream: bytes, kind: range) -> Iterator[Unit]:
    """All PES packets of the first PID whose stream id lies in a range, from a clean stream."""
    wanted = None
    parts: list[bytes] = []
    for offset in range(0, len(stream) - PACKET + 1, PACKET):
        packet = stream[offset : offset + PACKET]
        pid = (packet[1] & 0x1F) << 8 | packet[2]
        payload = packet[5 + packet[4] :] if packet[3] & 0x20 else packet[4:]
        starts = bool(packet[1] & 0x40)
        if wanted is None and starts and payload[:3] == b"\0\0\1" and payload[3] in kind:
            wanted = pid
        if pid != wanted or not packet[3] & 0x10:
            continue
        if starts and parts:
            yield _unit(b"".join(parts))
            parts = []
        parts.append(payload)
    if parts:
        yield _unit(b"".join(parts))


def _unit(pes: bytes) -> Unit:
    pts = read_stamp(pes[9:14])
    dts = read_stamp(pes[14:19]) if pes[7] & 0x40 else pts
    return Unit(pts=pts, dts=dts, payload=pes[9 + pes[8] :])
