"""The programme map, read as it comes."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nephos.recording import tables
from tests.fakes import transport

TELETEXT = b"\x56\x05spa\x10\x88"
SUBTITLE = b"\x59\x08spa\x10\0\1\0\1"
STREAMS = [
    (0x1B, 0x101, b"\x86\x07\xc1eng\x80\xff\xff"),
    (0x0F, 0x102, b"\x0a\x04eng\0"),
    (0x06, 0x103, TELETEXT),
    (0x06, 0x104, SUBTITLE),
    (0x06, 0x105, b"\x05\x04AC-3"),
    (0x99, 0x106, b""),
]


def read(*packets: bytes) -> tables.Tables:
    found = tables.Tables()
    for one in packets:
        found.feed(one)
    return found


PAT = transport.carried(0, transport.pat({1: 0x1000}))
PMT = transport.carried(0x1000, transport.pmt(1, STREAMS))


def test_a_programme_is_read_with_codecs_languages_and_captions() -> None:
    found = read(*PAT, *PMT)

    (programme,) = found.programmes
    assert (programme.number, programme.pid) == (1, 0x1000)
    assert [(s.pid, s.codec, s.language, s.captions) for s in programme.streams] == [
        (0x101, "h264", "", ("cea-608/708",)),
        (0x102, "aac", "eng", ()),
        (0x103, "teletext", "spa", ("teletext",)),
        (0x104, "dvb-subtitle", "spa", ("dvb-subtitle",)),
        (0x105, "private", "", ()),
        (0x106, "type 0x99", "", ()),
    ]
    assert found.wanted == {0, 0x1000}


def test_repeated_tables_are_no_change_and_another_version_is_one() -> None:
    longer = transport.carried(0x1000, transport.pmt(1, [*STREAMS, (0x03, 0x120, b"")], version=1))

    assert read(*PAT, *PMT, *PAT, *PMT, *PMT).changes == 0
    assert read(*PAT, *PMT, *longer, *PMT).changes == 2


def test_a_section_over_many_packets_is_put_together() -> None:
    many = [(0x06, 0x200 + n, TELETEXT * 2) for n in range(40)]
    packets = transport.carried(0x1000, transport.pmt(1, many))
    assert len(packets) > 3

    assert len(read(*PAT, *packets).programmes[0].streams) == 40


def test_a_programme_that_went_away_is_forgotten() -> None:
    found = read(*PAT, *PMT, *transport.carried(0, transport.pat({2: 0x1001}, version=1)))

    assert found.programmes == ()
    assert (found.wanted, found.changes) == ({0, 0x1001}, 1)


def test_a_wrong_checksum_is_as_good_as_nothing() -> None:
    broken = bytearray(transport.pat({1: 0x1000}))
    broken[9] ^= 1

    found = read(*transport.carried(0, bytes(broken)))

    assert (found.has_pat, found.bad_sections, found.wanted) == (False, 1, {0})


def test_an_oversized_section_is_left() -> None:
    found = read(*PAT, *transport.carried(0x1000, b"\x02\xbf\xff" + bytes(900)), *PMT)

    assert found.bad_sections >= 1
    assert len(found.programmes) == 1


def test_a_table_that_names_thousands_of_programmes_is_bounded() -> None:
    raw = transport.pat({number: 0x20 + number for number in range(1, 250)})

    assert len(read(*transport.carried(0, raw)).wanted) <= 65


@given(st.lists(st.binary(min_size=0, max_size=188), max_size=60))
@settings(deadline=None)
def test_any_bytes_are_survived(pieces: list[bytes]) -> None:
    found = read(*PAT, *(b"\x47\x50\x00\x10" + piece.ljust(184, b"\0") for piece in pieces), *pieces)

    assert len(found.wanted) <= 65


@given(st.binary(min_size=1, max_size=1100), st.sampled_from([0, 0x1000]), st.integers(0, 2))
@settings(deadline=None)
def test_any_section_with_a_right_checksum_is_survived(body: bytes, pid: int, table: int) -> None:
    read(*PAT, *transport.carried(pid, transport.section(table, 1, body[:1010])), *PMT)


def test_a_flood_does_not_make_it_grow() -> None:
    found = read(*PAT)
    flood = [transport.packet(0x1000, n, payload=bytes([n % 256]) * 184) for n in range(64)]
    tracemalloc.start()
    for number in range(200):
        for one in flood:
            found.feed(one)
        for one in transport.carried(
            0, transport.pat({n: 0x20 + number + n for n in range(1, 200)}, version=number % 32)
        ):
            found.feed(one)
    grown = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert grown < 500_000


@pytest.mark.parametrize("raw", [b"", b"\0", b"123456789"])
def test_the_checksum_is_that_of_the_standard(raw: bytes) -> None:
    assert tables.crc32(raw + tables.crc32(raw).to_bytes(4, "big")) == 0
    assert tables.crc32(b"123456789") == 0x0376E6E7
