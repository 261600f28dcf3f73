"""Reading a transport stream (ISO/IEC 13818-1) that may be damaged: aligned runs, tables, PES packets.

Works on whole runs of packets where it can, because a loop over each packet in Python costs more than all the rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PACKET_BYTES = 188
CLOCK_PER_SECOND = 90_000
WRAP = 1 << 33
_SYNC = 0x47
_STRIDES = (188, 192, 204)  # plain, with a 4-byte arrival stamp, with 16 bytes of error correction
_BLOCK_PACKETS = 20_000
_HEAD_BYTES = 64 * 1024
_LARGEST_PES = 8 << 20


@dataclass(frozen=True, slots=True)
class Run:
    """Packets of 188 bytes one after the other, all in sync; `offset` is the place of the first in the file."""

    offset: int
    stride: int
    packets: bytes


@dataclass(frozen=True, slots=True)
class Unit:
    """One PES packet: where it began, its stamps in ticks of 90 kHz (33 bits), and what it carries."""

    offset: int
    pts: int | None
    dts: int | None
    payload: bytes


def stride(path: Path) -> int | None:
    """Bytes from one packet to the next, None if the file is no transport stream."""
    with path.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
    covered = {step: step * sum(count for _, count in _aligned(head, step)) for step in _STRIDES}
    best = max(covered, key=lambda step: covered[step])
    return best if covered[best] * 2 > len(head) else None


def runs(path: Path, *, step: int = PACKET_BYTES) -> Iterator[Run]:
    """All packets of a file in the longest aligned runs; bytes out of sync are left out."""
    size = step * _BLOCK_PACKETS
    with path.open("rb") as stream:
        rest, offset = b"", 0
        while block := stream.read(size):
            rest += block
            used = 0
            for start, count in _aligned(rest, step):
                chunk = rest[start : start + count * step]
                if step != PACKET_BYTES:
                    chunk = b"".join(chunk[at : at + PACKET_BYTES] for at in range(0, len(chunk), step))
                yield Run(offset=offset + start, stride=step, packets=chunk)
                used = start + count * step
            used = max(used, len(rest) - 4 * step)
            rest, offset = rest[used:], offset + used


def _aligned(data: bytes, step: int) -> Iterator[tuple[int, int]]:
    """Start and number of packets of each run in a block."""
    start = _sync(data, 0, step)
    while start is not None:
        marks = data[start::step]
        whole = (len(data) - start) // step
        lost = _first_other(marks[:whole])
        count = whole if lost is None else lost
        if count:
            yield start, count
        if lost is None:
            return
        start = _sync(data, start + lost * step, step)


def _first_other(marks: bytes) -> int | None:
    if marks.count(_SYNC) == len(marks):
        return None
    return len(marks) - len(marks.lstrip(bytes([_SYNC])))


def _sync(data: bytes, start: int, step: int) -> int | None:
    """The next place where four packets in a row begin (fewer at the end of the data)."""
    at = data.find(_SYNC, start)
    while 0 <= at <= len(data) - PACKET_BYTES:
        if all(data[place] == _SYNC for place in range(at, min(len(data), at + 4 * step), step)):
            return at
        at = data.find(_SYNC, at + 1)
    return None


def packets(run: Run, pid: int) -> Iterator[int]:
    """Places in the run of the packets of one PID, found by searching for the low byte of the PID."""
    low, high = pid & 0xFF, pid >> 8
    firsts, seconds = run.packets[1::PACKET_BYTES], run.packets[2::PACKET_BYTES]
    number = seconds.find(low)
    while number >= 0:
        if firsts[number] & 0x1F == high:
            yield number * PACKET_BYTES
        number = seconds.find(low, number + 1)


def payload(packet: bytes) -> bytes:
    """What a packet carries after its header and adaptation field; nothing if it is scrambled or has an error."""
    control = packet[3]
    if not control & 0x10 or control & 0xC0 or packet[1] & 0x80:
        return b""
    return packet[5 + packet[4] :] if control & 0x20 else packet[4:]


def units(path: Path, pid: int, *, step: int = PACKET_BYTES) -> Iterator[Unit]:
    """The PES packets of one PID in the order of the file."""
    parts: list[bytes] = []
    began = size = 0
    for run in runs(path, step=step):
        for place in packets(run, pid):
            packet = run.packets[place : place + PACKET_BYTES]
            content = payload(packet)
            if packet[1] & 0x40 and content[:3] == b"\0\0\1":
                if parts:
                    yield from _unit(began, b"".join(parts))
                parts, size = [], 0
                began = run.offset + place // PACKET_BYTES * run.stride
            elif not parts or size > _LARGEST_PES:
                continue
            parts.append(content)
            size += len(content)
    if parts:
        yield from _unit(began, b"".join(parts))


def _unit(offset: int, pes: bytes) -> Iterator[Unit]:
    if len(pes) < 19 or pes[6] & 0xC0 != 0x80:
        return
    flags = pes[7]
    pts = _stamp(pes, 9) if flags & 0x80 else None
    dts = _stamp(pes, 14) if flags & 0x40 else pts
    yield Unit(offset=offset, pts=pts, dts=dts, payload=pes[9 + pes[8] :])


def _stamp(pes: bytes, at: int) -> int:
    high, middle, low = pes[at] >> 1 & 7, (pes[at + 1] << 8 | pes[at + 2]) >> 1, (pes[at + 3] << 8 | pes[at + 4]) >> 1
    return high << 30 | middle << 15 | low


def distance(later: int, earlier: int) -> int:
    """Ticks from one 33-bit stamp to another, negative if it lies before; right across the wrap."""
    return (later - earlier + WRAP // 2) % WRAP - WRAP // 2


def first_clock(path: Path, *, step: int = PACKET_BYTES) -> int | None:
    """The first programme clock of a file in ticks of 90 kHz, None if none comes near its start."""
    run = next(runs(path, step=step), None)
    for place in range(0, len(run.packets) if run else 0, PACKET_BYTES):
        packet = run.packets[place : place + 12] if run else b""
        if packet[3] & 0x20 and packet[4] >= 7 and packet[5] & 0x10:
            return int.from_bytes(packet[6:11], "big") >> 7
    return None
