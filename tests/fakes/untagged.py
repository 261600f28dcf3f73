"""The test broadcast with no language anywhere: what many real channels send."""

from __future__ import annotations

import functools

from tests.fakes import broadcast

_PACKET = 188


@functools.cache
def stream() -> bytes:
    """The whole broadcast; its programme map names no language."""
    raw = bytearray(broadcast.get().path.read_bytes())
    for start in range(0, len(raw), _PACKET):
        packet = raw[start : start + _PACKET]
        if packet[1] & 0x40 and packet[4:6] == b"\x00\x02":  # the start of a programme map
            raw[start : start + _PACKET] = _without_languages(bytes(packet))
    return bytes(raw)


def _without_languages(packet: bytes) -> bytes:
    length = (packet[6] & 0x0F) << 8 | packet[7]
    section = packet[5 : 8 + length - 4]
    section = section.replace(b"\x0a\x04eng\x00", b"\x80\x04\x00\x00\x00\x00").replace(b"eng", b"\x00\x00\x00")
    return (packet[:5] + section + _crc(section).to_bytes(4, "big")).ljust(_PACKET, b"\xff")


def _crc(section: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in section:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ 0x04C11DB7) & 0xFFFFFFFF if crc & 0x80000000 else crc << 1
    return crc
