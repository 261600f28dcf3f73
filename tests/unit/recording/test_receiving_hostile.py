"""Streams that mean harm or nonsense: the writing half survives them, writes whole packets only, and does not grow."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nephos.recording import batch, segments, track, writer
from nephos.recording.sources import address, base, datagrams, udp
from tests.fakes import transport
from tests.support import held

START = 1_790_000_000
PLACE = address.Address("udp", "239.1.2.3", 1)


class Paper:
    """A writer that keeps counts, not bytes."""

    def __init__(self) -> None:
        self.offset = 0
        self.is_open = False
        self.seconds: list[segments.Second] = []

    def begin(self, second: int, *, at: datetime, era: int = 0) -> None:
        self.is_open = True

    def write(self, packets: writer.Buffer, *, at: float | None = None) -> None:
        view = memoryview(packets)
        assert len(view) % 188 == 0
        assert bytes(view[::188]) == b"\x47" * (len(view) // 188)
        self.offset += len(view)

    def note(self, second: segments.Second) -> None:
        assert segments.read_line(segments.second_line(second)) == second
        self.seconds = [second]

    def close(self) -> None:
        self.is_open = False


def made() -> tuple[track.Track, Paper]:
    paper = Paper()
    return track.Track("x", udp.UdpSource(PLACE), paper), paper  # type: ignore[arg-type]


def play(one: track.Track, loads: list[list[bytes]], first: int = START) -> None:
    """A second for each load."""
    for number, parts in enumerate(loads):
        second = first + number
        raw = base.Load(b"".join(parts), [len(part) for part in parts])
        one.handle(batch.Batch(second, float(second), second + 0.5, load=raw), has_room=True)
        ends = batch.Arrivals(first=0.1, last=0.9)
        one.handle(batch.Batch(second, float(second), second + 1.0, ends=ends), has_room=True)


HOSTILE = st.one_of(
    st.binary(max_size=2000),
    st.binary(max_size=184).map(lambda raw: b"\x47" + raw),
    st.builds(
        lambda pid, counter, body, tei, scrambling: transport.packet(
            pid, counter, payload=body, tei=tei, scrambling=scrambling
        ),
        st.integers(0, 8191),
        st.integers(0, 15),
        st.binary(max_size=184),
        st.booleans(),
        st.integers(0, 3),
    ),
    st.builds(
        lambda pid, field: transport.packet(pid, 0, adaptation=field, has_payload=False),
        st.integers(0, 8191),
        st.binary(min_size=1, max_size=183),
    ),
    st.builds(transport.rtp, st.binary(max_size=400), st.integers(0, 65535), extra=st.integers(0, 63)),
    st.builds(
        lambda number, table, body: b"".join(transport.carried(table % 3, transport.section(table, number, body))),
        st.integers(0, 65535),
        st.integers(0, 3),
        st.binary(max_size=1010),
    ),
)


@given(st.lists(st.lists(HOSTILE, max_size=12), max_size=6))
@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
def test_any_datagrams_are_survived(loads: list[list[bytes]]) -> None:
    one, paper = made()

    play(one, loads)
    play(one, [[transport.stream(70)]] * 2, first=START + 100)

    assert paper.seconds[-1].packets >= 70


def ten_thousand_pids() -> Iterator[list[bytes]]:
    """Every PID there is, in every order, each with tables in it."""
    random = Random(7)
    while True:
        yield [transport.packet(random.randrange(8192), n, payload=random.randbytes(184)) for n in range(700)]


def endless_programmes() -> Iterator[list[bytes]]:
    """Another programme list in each packet, all checksums right."""
    number = 0
    while True:
        parts = []
        for _ in range(40):
            number += 1
            listed = {n + 1: (number * 7 + n) % 8000 + 32 for n in range(40)}
            parts += transport.carried(0, transport.pat(listed, version=number % 32), counter=number)
            parts += transport.carried(
                listed[1],
                transport.pmt(1, [(6, 300 + n, b"\x56\x05spa\x10\x88") for n in range(40)], version=number % 32),
            )
        yield parts


def endless_senders() -> Iterator[list[bytes]]:
    """RTP of another sender in each datagram, with holes, so that as much as possible waits."""
    number = 0
    while True:
        parts = []
        for _ in range(300):
            number += 1
            parts.append(transport.rtp(transport.stream(1), number * 3, sender=number // 150))
        yield parts


def endless_streams() -> Iterator[list[bytes]]:
    """One programme whose table names as many parts as its length field can say, whole and torn."""
    number = 0
    while True:
        number += 1
        whole = transport.pmt(1, [(6, 32 + (number + n) % 8000, b"") for n in range(800)])
        yield [
            *transport.carried(0, transport.pat({1: 0x1000}), counter=number),
            *transport.carried(0x1000, whole, counter=number),
            *transport.carried(0x1000, whole[: 700 + number % 300]),
        ]


def half_sections() -> Iterator[list[bytes]]:
    """Sections that begin and never end, on every PID that was ever named as one of tables."""
    number = 0
    while True:
        number += 1
        listed = {n + 1: (number * 64 + n) % 8000 + 32 for n in range(64)}
        start = b"\x02\xb3\xfd" + bytes(180)
        yield [
            *transport.carried(0, transport.pat(listed, version=number % 32), counter=number),
            *(transport.carried(pid, start, counter=number)[0] for pid in listed.values()),
        ]


def clocks_gone_mad() -> Iterator[list[bytes]]:
    """A clock on every PID, with jumps announced and not, and wraps."""
    random = Random(3)
    while True:
        yield [
            transport.packet(
                random.randrange(8191),
                number,
                adaptation=transport.pcr_field(
                    random.randrange((1 << 33) * 300), discontinuity=random.choice((True, False))
                ),
                has_payload=False,
            )
            for number in range(200)
        ]


def small_and_large() -> Iterator[list[bytes]]:
    """Datagrams of every size from none to the largest, cut out of a good stream, of packets of three lengths."""
    random = Random(5)
    good = transport.stream(900)
    wide = b"".join(good[at : at + 188] + bytes(16) for at in range(0, len(good), 188))
    while True:
        source = random.choice((good, wide, bytes(70_000)))
        starts = [random.randrange(len(source)) for _ in range(60)]
        yield [source[at : at + random.choice((0, 1, 187, 189, 1315, 1472, 9000, 65507))] for at in starts]


HOSTILE_STREAMS = (
    *(ten_thousand_pids, endless_programmes, endless_streams, half_sections),
    *(endless_senders, clocks_gone_mad, small_and_large),
)
MOST_HELD = 45_000  # four fields of each of 8192 PIDs, a section or two, a few packets


@pytest.mark.parametrize("hostile", HOSTILE_STREAMS)
def test_whatever_comes_what_is_held_of_it_has_a_bound(hostile: Callable[[], Iterator[list[bytes]]]) -> None:
    one, paper = made()
    source = hostile()
    most = 0
    for number in range(60):
        play(one, [next(source)], first=START + number)
        most = max(most, held.count(one) - held.count(paper))
    play(one, [[*transport.carried(0, transport.pat({9: 0x900})), transport.stream(70)]] * 8, first=START + 100)

    assert most < MOST_HELD
    assert paper.seconds[-1].packets >= 70
    assert one.problem in ("", "losses")


def test_a_map_that_changes_and_a_clock_that_jumps_are_in_the_journal(tmp_path: Path) -> None:
    closer = writer.Closer()
    out = writer.Writer(tmp_path, segment_seconds=10, closer=closer)
    one = track.Track("x", udp.UdpSource(PLACE), out)
    pictures = [
        transport.packet(0x101, 0, adaptation=transport.pcr_field(n * 27_000_000), has_payload=False) for n in range(9)
    ]
    tables = [
        *transport.carried(0, transport.pat({1: 0x1000})),
        *transport.carried(0x1000, transport.pmt(1, [(0x1B, 0x101, b"")])),
    ]
    other = transport.carried(0x1000, transport.pmt(1, [(0x24, 0x101, b"")], version=1))

    play(one, [[*tables, pictures[0]], [pictures[1]], [*other, pictures[2]], [pictures[8]], [pictures[8]]])
    out.close()
    closer.end(within=5)

    seconds = [s for found in segments.list_segments(tmp_path) for s in segments.read_journal(found.journal).seconds]
    assert [s.maps for s in seconds] == [0, 0, 1, 0, 0]
    assert [s.jumps for s in seconds] == [0, 0, 0, 1, 0]
    assert one.programmes[0].streams[0].codec == "hevc"
    assert b"jumps" not in segments.second_line(seconds[0])


def test_an_empty_load_lets_out_what_waited() -> None:
    unpacker = datagrams.Unpacker()
    payload = transport.stream(7)
    parts = [transport.rtp(payload, number) for number in (1, 2, 4)]
    raw = base.Load(b"".join(parts), [len(part) for part in parts])

    assert unpacker.unpack(raw).packets.size == 2 * len(payload)
    rest = unpacker.unpack(base.Load(b"", ()))
    assert (rest.packets.size, rest.rtp_lost) == (len(payload), 1)
    assert np.array_equal(rest.packets, np.frombuffer(payload, dtype=np.uint8))
