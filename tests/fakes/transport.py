"""Transport streams made to order: correct continuity counters, a clock, and a number in every packet."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from nephos.recording import tables

PACKET_BYTES = 188
NULL_PID = 0x1FFF
_PCR_EVERY = 40
CYCLE = 57_600  # after so many packets of `packets` every continuity counter is where it was


def packet(
    pid: int,
    counter: int = 0,
    *,
    payload: bytes = b"",
    adaptation: bytes | None = None,
    has_payload: bool = True,
    tei: bool = False,
    scrambling: int = 0,
) -> bytes:
    """One packet. `adaptation` is what follows the length byte of the adaptation field."""
    control = (0x20 if adaptation is not None else 0) | (0x10 if has_payload else 0)
    head = struct.pack(
        ">BBBB", 0x47, (0x80 if tei else 0) | pid >> 8, pid & 0xFF, scrambling << 6 | control | counter & 0x0F
    )
    field = b""
    if adaptation is not None:
        room = PACKET_BYTES - 5 - (len(payload) if has_payload else 0)
        filled = adaptation.ljust(room, b"\xff") if not has_payload else adaptation
        field = bytes([len(filled)]) + filled
    return (head + field + payload).ljust(PACKET_BYTES, b"\xff")


def pcr_field(ticks: int, *, discontinuity: bool = False) -> bytes:
    """The inside of an adaptation field with a clock reference in 27 MHz ticks."""
    base, extension = divmod(ticks, 300)
    return bytes([0x10 | (0x80 if discontinuity else 0)]) + (base << 15 | 0x3F << 9 | extension).to_bytes(6, "big")


def packets(*, bits_per_second: float = 4e6, start: int = 0, salt: int = 0) -> Iterator[bytes]:
    """An endless programme: tables, pictures with a clock, sound, stuffing; no two packets are the same."""
    counters: dict[int, int] = {}
    number = start
    while True:
        pid = (0x0000, 0x1000)[number // 200 % 2] if number % 200 == 0 else NULL_PID if number % 25 == 7 else 0x0101
        if number % 9 == 3:
            pid = 0x0102
        counter = counters.get(pid, 0)
        counters[pid] = counter + 1
        body = struct.pack(">QI", number, salt) + b"nephos test stream "
        adaptation = None
        if pid == 0x0101 and number % _PCR_EVERY == 1:
            adaptation = pcr_field(int(number * PACKET_BYTES * 8 / bits_per_second * 27e6))
        yield packet(pid, counter, payload=body, adaptation=adaptation)
        number += 1


def stream(count: int, *, bits_per_second: float = 4e6, salt: int = 0) -> bytes:
    """The first so many packets of `packets`."""
    endless = packets(bits_per_second=bits_per_second, salt=salt)
    return b"".join(next(endless) for _ in range(count))


def rtp(payload: bytes, sequence: int, *, sender: int = 0x1234, kind: int = 33, extra: int = 0) -> bytes:
    """A datagram with an RTP header; `extra` is or-ed into its first byte."""
    return struct.pack(">BBHII", 0x80 | extra, kind, sequence & 0xFFFF, sequence * 90 & 0xFFFFFFFF, sender) + payload


def section(table: int, number: int, body: bytes, *, version: int = 0) -> bytes:
    """A section of the long form with its checksum."""
    head = struct.pack(">BHHBBB", table, 0xB000 | len(body) + 9, number, 0xC1 | version << 1, 0, 0)
    raw = head + body
    return raw + tables.crc32(raw).to_bytes(4, "big")


def pat(programmes: dict[int, int], *, version: int = 0) -> bytes:
    """A programme association section: number to the PID of its table."""
    body = b"".join(struct.pack(">HH", number, 0xE000 | pid) for number, pid in programmes.items())
    return section(0x00, 1, body, version=version)


def pmt(number: int, streams: list[tuple[int, int, bytes]], *, version: int = 0) -> bytes:
    """A programme map section: type, PID and descriptors of each stream."""
    parts = [struct.pack(">BHH", kind, 0xE000 | pid, 0xF000 | len(more)) + more for kind, pid, more in streams]
    clock = streams[0][1] if streams else 0x1FFF
    return section(0x02, number, struct.pack(">HH", 0xE000 | clock, 0xF000) + b"".join(parts), version=version)


def carried(pid: int, raw: bytes, *, counter: int = 0) -> list[bytes]:
    """The packets that carry a section."""
    raw = b"\0" + raw
    made = []
    for place in range(0, len(raw), 184):
        one = bytearray(packet(pid, counter + place // 184, payload=raw[place : place + 184]))
        if not place:
            one[1] |= 0x40
        made.append(bytes(one))
    return made
