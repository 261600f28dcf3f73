"""Continuity and the rest of a stream's health, on packets made by hand."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nephos.recording import health
from tests.fakes import transport

PID = 0x100


def judge(*packets: bytes, at_once: bool = True) -> health.Counts:
    """The counts of these packets, in one block or each in a block of its own."""
    judge_of = health.Health()
    blocks = [b"".join(packets)] if at_once else list(packets)
    total = health.Counts()
    for block in blocks:
        total += judge_of.feed(health.heads(np.frombuffer(block, dtype=np.uint8)))
    return total


def some(*counters: int, pid: int = PID) -> list[bytes]:
    return [transport.packet(pid, counter) for counter in counters]


@pytest.mark.parametrize("at_once", [True, False])
class TestContinuity:
    """Whether packets come in one block or one by one must make no difference."""

    def test_a_whole_stream_has_no_errors(self, at_once: bool) -> None:
        stream = transport.stream(2000)
        packets = [stream[i : i + 188] for i in range(0, len(stream), 188)]

        counts = judge(*packets, at_once=at_once)

        assert (counts.packets, counts.cc, counts.missing, counts.duplicates) == (2000, 0, 0, 0)
        assert counts.null > 0
        assert counts.pcr is not None

    def test_the_counter_wraps(self, at_once: bool) -> None:
        assert judge(*some(14, 15, 0, 1), at_once=at_once).cc == 0

    def test_missing_packets_are_one_error_and_counted(self, at_once: bool) -> None:
        counts = judge(*some(3, 7, 8), at_once=at_once)

        assert (counts.cc, counts.missing) == (1, 3)

    def test_a_packet_may_be_sent_twice(self, at_once: bool) -> None:
        counts = judge(*some(3, 3, 4, 4, 5), at_once=at_once)

        assert (counts.cc, counts.duplicates) == (0, 2)

    def test_a_packet_may_not_be_sent_three_times(self, at_once: bool) -> None:
        counts = judge(*some(3, 3, 3, 4), at_once=at_once)

        assert (counts.cc, counts.missing, counts.duplicates) == (1, 0, 1)

    def test_a_packet_without_payload_keeps_the_counter(self, at_once: bool) -> None:
        empty = transport.packet(PID, 3, adaptation=transport.pcr_field(1), has_payload=False)

        assert judge(*some(3), empty, empty, *some(4), at_once=at_once).cc == 0
        assert judge(*some(3), empty, *some(3), at_once=at_once).cc == 1

    def test_an_announced_jump_is_no_error(self, at_once: bool) -> None:
        jump = transport.packet(PID, 9, adaptation=transport.pcr_field(5, discontinuity=True))

        assert judge(*some(3), jump, *some(10), at_once=at_once).cc == 0

    def test_pids_do_not_disturb_each_other(self, at_once: bool) -> None:
        mixed = [*some(1), *some(7, pid=0x200), *some(2), *some(8, pid=0x200), *some(5), *some(9, pid=0x200)]

        counts = judge(*mixed, at_once=at_once)

        assert (counts.cc, counts.missing) == (1, 2)

    def test_null_packets_have_no_counter(self, at_once: bool) -> None:
        counts = judge(*some(1, 1, 9, 4, pid=health.NULL_PID), at_once=at_once)

        assert (counts.cc, counts.null) == (0, 4)

    def test_nothing_is_concluded_from_a_packet_marked_broken(self, at_once: bool) -> None:
        broken = transport.packet(PID, 11, tei=True)

        counts = judge(*some(1), broken, *some(2), at_once=at_once)

        assert (counts.cc, counts.tei) == (0, 1)

    def test_scrambled_packets_are_counted(self, at_once: bool) -> None:
        counts = judge(*[transport.packet(PID, c, scrambling=2) for c in range(5)], at_once=at_once)

        assert (counts.scrambled, counts.cc) == (5, 0)


def test_the_last_clock_of_the_programme_is_told() -> None:
    first = transport.packet(PID, 0, adaptation=transport.pcr_field(27_000_123))
    other = transport.packet(0x200, 0, adaptation=transport.pcr_field(99))
    last = transport.packet(PID, 1, adaptation=transport.pcr_field(54_000_299))

    assert judge(first, other, last).pcr == 54_000_299
    assert judge(first, other, last, other, at_once=False).pcr == 99  # only that one has a clock in its block


def test_an_empty_block_is_no_trouble() -> None:
    assert judge(b"") == health.Counts()
    assert judge(b"\x47" * 100) == health.Counts()


def test_forgetting_expects_nothing_of_the_next_packet() -> None:
    judge_of = health.Health()
    judge_of.feed(health.heads(np.frombuffer(b"".join(some(1, 2)), dtype=np.uint8)))

    judge_of.forget()

    assert judge_of.feed(health.heads(np.frombuffer(b"".join(some(9)), dtype=np.uint8))).cc == 0


def reference(packets: list[bytes]) -> tuple[int, int, int]:
    """The rules once more, packet by packet."""
    errors = missing = duplicates = 0
    last: dict[int, tuple[int, bool, bool]] = {}
    for packet in packets:
        pid = (packet[1] & 0x1F) << 8 | packet[2]
        has_payload, has_field = bool(packet[3] & 0x10), bool(packet[3] & 0x20)
        if packet[0] != 0x47 or pid == 0x1FFF or packet[1] & 0x80 or not (has_payload or has_field):
            continue
        counter = packet[3] & 0x0F
        jump = has_field and packet[4] > 0 and bool(packet[5] & 0x80)
        repeat = False
        if pid in last:
            before, had_payload, was_repeat = last[pid]
            expected = (before + has_payload) & 0x0F
            repeat = has_payload and had_payload and counter == before and not jump
            if repeat and not was_repeat:
                duplicates += 1
            elif counter != expected and not jump:
                errors += 1
                missing += 0 if repeat else (counter - expected) & 0x0F
        last[pid] = counter, has_payload, repeat
    return errors, missing, duplicates


heads = st.builds(
    lambda sync, flags, pid, control, length, field: bytes(
        [sync, flags | pid >> 8, pid & 0xFF, control, length, field]
    ),
    st.sampled_from([0x47] * 9 + [0x00]),
    st.sampled_from([0] * 9 + [0x80]),
    st.sampled_from([0, 1, 0x1FFE, 0x1FFF]),
    st.integers(0, 255),
    st.sampled_from([0, 1, 7, 183, 255]),
    st.integers(0, 255),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(heads, max_size=60), st.lists(st.integers(0, 60), max_size=4))
def test_any_packets_in_any_blocks_are_judged_like_one_by_one(firsts: list[bytes], cuts: list[int]) -> None:
    packets = [head.ljust(188, b"\x5a") for head in firsts]
    edges = sorted({0, len(packets), *(cut for cut in cuts if cut < len(packets))})
    blocks = [b"".join(packets[a:b]) for a, b in itertools.pairwise(edges)]

    counts = judge(*blocks, at_once=False)

    assert (counts.cc, counts.missing, counts.duplicates) == reference(packets)
    assert counts.packets == len(packets)


@given(st.binary(max_size=3000))
def test_random_bytes_never_crash(noise: bytes) -> None:
    judge(noise)
