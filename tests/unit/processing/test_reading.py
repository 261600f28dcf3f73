"""Reading damaged transport streams, their tables and their clocks."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from nephos.processing import timeline, transport
from nephos.processing.captions import userdata
from tests.fakes import transport as made

PID = 0x101


def pes(pts: int, dts: int, payload: bytes) -> bytes:
    def stamp(mark: int, ticks: int) -> bytes:
        return struct.pack(
            ">BHH", mark << 4 | ticks >> 30 << 1 | 1, (ticks >> 15 & 0x7FFF) << 1 | 1, (ticks & 0x7FFF) << 1 | 1
        )

    return b"\0\0\1\xe0\0\0\x80\xc0\x0a" + stamp(3, pts) + stamp(1, dts) + payload


def packet_of(content: bytes, *, first: bool, number: int) -> bytes:
    body = content[:184]
    adaptation = None if len(body) == 184 else b"\0".ljust(183 - len(body), b"\xff") if len(body) < 183 else b""
    whole = bytearray(made.packet(PID, number, payload=body, adaptation=adaptation))
    whole[1] |= 0x40 if first else 0
    return bytes(whole)


def stream(units: int, *, filler: int = 30) -> bytes:
    out = bytearray()
    for number in range(units):
        ticks = 900_000 + number * 3600
        out += packet_of(pes(ticks + 3600, ticks, b"payload %d" % number), first=True, number=number)
        out += made.packet(0x1FFF) * filler
    return bytes(out)


def read(path: Path, step: int = 188) -> list[tuple[int | None, bytes]]:
    return [(unit.pts, unit.payload) for unit in transport.units(path, PID, step=step)]


def test_all_units_of_a_clean_stream_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.ts"
    path.write_bytes(stream(5))

    found = read(path)

    assert [payload for _, payload in found] == [b"payload %d" % number for number in range(5)]
    assert found[0][0] == 903_600


@pytest.mark.parametrize("cut", [1, 100, 187, 189])
def test_a_head_that_is_cut_off_in_a_packet_costs_that_packet_alone(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "a.ts"
    path.write_bytes(stream(5)[cut:])

    assert [payload for _, payload in read(path)] == [b"payload %d" % number for number in range(1, 5)]


def test_bytes_that_are_missing_in_the_middle_cost_one_packet(tmp_path: Path) -> None:
    whole = stream(5)
    path = tmp_path / "a.ts"
    at = 188 * 31 * 2 + 188 * 10 + 50  # within the filling after the third unit
    path.write_bytes(whole[:at] + whole[at + 99 :])

    assert len(read(path)) == 5


@pytest.mark.parametrize(("step", "before", "after"), [(192, b"\x12abc", b""), (204, b"", b"\x47" * 16)])
def test_packets_with_additions_are_read_too(tmp_path: Path, step: int, before: bytes, after: bytes) -> None:
    whole = stream(8)
    path = tmp_path / "a.m2ts"
    path.write_bytes(b"".join(before + whole[at : at + 188] + after for at in range(0, len(whole), 188)))

    assert transport.stride(path) == step
    assert len(read(path, step)) == 8


def test_a_text_is_no_transport_stream(tmp_path: Path) -> None:
    path = tmp_path / "a.ts"
    path.write_bytes(b"G is 0x47, so this has a few: GGGG\n" * 1000)

    assert transport.stride(path) is None


def test_distances_are_right_across_the_wrap() -> None:
    assert transport.distance(10, 2**33 - 10) == 20
    assert transport.distance(2**33 - 10, 10) == -20


def unit(dts: int, *, pts: int | None = None, offset: int = 0) -> transport.Unit:
    return transport.Unit(offset=offset, pts=(pts or dts) % 2**33, dts=dts % 2**33, payload=b"")


def test_a_hole_stays_a_hole_and_the_wrap_is_none() -> None:
    clock = timeline.Clock(2**33 - 3600)

    placed = [clock.place(unit(2**33 + ticks)) for ticks in (-3600, 0, 3600, 3600 + 450_000)]

    assert placed == [0.0, 0.04, 0.08, 5.08]
    assert len(clock.spans) == 1


def test_jumps_of_the_clock_are_closed_where_ffmpeg_closes_them() -> None:
    clock = timeline.Clock(900_000)

    stamps = (900_000, 903_600, 90_000_000, 90_003_600, 500_000, 503_600)
    placed = [clock.place(unit(ticks, offset=number)) for number, ticks in enumerate(stamps)]

    assert placed == [0.0, 0.04, 0.08, 0.12, 0.16, 0.2]
    assert [(span.offset, span.stamp) for span in clock.spans] == [(0, 900_000), (2, 90_000_000), (4, 500_000)]


def test_a_hole_that_the_recording_knows_of_is_no_jump() -> None:
    clock = timeline.Clock(900_000, fold_seconds=10 + 1.5 * 60)

    assert [clock.place(unit(ticks)) for ticks in (900_000, 900_000 + 60 * 90_000)] == [0.0, 60.0]


def test_caption_pairs_are_found_behind_guard_bytes() -> None:
    raw = bytes([0xFC, 0x94, 0x2C, 0x00, 0x00, 0x00, 0xFD, 0x15, 0x2C])
    guarded = raw.replace(b"\0\0\0", b"\0\0\3\0")
    picture = b"\0\0\1\x06\x04\x20\xb5\0\x31GA94\x03\x43\xff" + guarded + b"\xff\x80\0\0\1\x65slice"

    assert list(userdata.pairs(picture, escaped=True)) == [(1, 0x94, 0x2C), (2, 0x15, 0x2C)]
    assert list(userdata.pairs(picture[:20], escaped=True)) == [(1, 0x94, 0x2C)]
    assert list(userdata.pairs(b"no captions here", escaped=True)) == []
