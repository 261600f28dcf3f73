"""DVB teletext subtitles: pages (EN 300 706) in PES packets (EN 300 472)."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import ts

_HAMMING_8_4 = bytes.fromhex("15 02 49 5e 64 73 38 2f d0 c7 8c 9b a1 b6 fd ea")
_MIRROR = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_SUBTITLE_UNIT, _STUFFING_UNIT = 0x03, 0xFF
_DOUBLE_HEIGHT, _START_BOX, _END_BOX = 0x0D, 0x0B, 0x0A
_SUBTITLE_PAGE = 2


def descriptor(page: int, language: str) -> bytes:
    """The teletext descriptor of the programme map: one subtitle page."""
    magazine, rest = page // 100 % 8, page % 100
    entry = language.encode("ascii") + bytes([_SUBTITLE_PAGE << 3 | magazine, rest // 10 << 4 | rest % 10])
    return bytes([0x56, len(entry)]) + entry


def pes(page: int, lines: Sequence[str], pts: int) -> bytes:
    """One PES packet that shows a subtitle page, or clears it when there are no lines."""
    units = _page(page, lines)
    head_bytes = 45  # EN 300 472 wants this length, so that data units never straddle packets
    size = head_bytes + 1 + 46 * len(units)
    while size % 184:
        units.append(bytes([_STUFFING_UNIT, 0x2C]) + b"\xff" * 44)
        size += 46
    head = b"\x00\x00\x01\xbd" + struct.pack(">H", size - 6) + b"\x84\x80\x24" + ts.stamp(2, pts)
    return head.ljust(head_bytes, b"\xff") + b"\x10" + b"".join(units)


def _page(page: int, lines: Sequence[str]) -> list[bytes]:
    magazine, tens, units = page // 100 % 8, page % 100 // 10, page % 10
    out = [_line(magazine, 0, _header(tens, units), 7)]
    for number, text in enumerate(lines):
        row = 22 - 2 * (len(lines) - 1 - number)
        codes = bytes([_DOUBLE_HEIGHT, _START_BOX, _START_BOX]) + text.encode("ascii") + bytes([_END_BOX] * 2)
        if len(codes) > 40:
            raise ValueError(f"too long for a teletext row: {text!r}")
        out.append(_line(magazine, row, bytes(map(_odd, codes.ljust(40))), 8 + number))
    # The header of the time-filling page FF tells decoders that the page is complete.
    out.append(_line(magazine, 0, _header(0xF, 0xF), 8 + len(lines)))
    return out


def _header(tens: int, units: int) -> bytes:
    erase, subtitle, suppress_header, serial = 0x8, 0x8, 0x1, 0x1
    digits = (units, tens, 0, erase, 0, subtitle, suppress_header, serial)
    return bytes(_HAMMING_8_4[digit] for digit in digits) + bytes([_odd(0x20)]) * 32


def _line(magazine: int, row: int, content: bytes, line: int) -> bytes:
    address = bytes([_HAMMING_8_4[magazine | (row & 1) << 3], _HAMMING_8_4[row >> 1]])
    body = (address + content).translate(_MIRROR)
    return bytes([_SUBTITLE_UNIT, 0x2C, 0xE0 | line, 0xE4]) + body


def _odd(byte: int) -> int:
    return byte | (0x80 if byte.bit_count() % 2 == 0 else 0)
