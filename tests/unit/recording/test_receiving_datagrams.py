"""Packets out of datagrams: UDP and RTP, in and out of step."""

from __future__ import annotations

import random
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nephos.recording.sources import align, base, datagrams, rtp
from tests.fakes import transport

SIZE = 7 * 188
STREAM = transport.stream(7 * 60)
PAYLOADS = [STREAM[i : i + SIZE] for i in range(0, len(STREAM), SIZE)]


def load(*parts: bytes) -> base.Load:
    return base.Load(raw=b"".join(parts), sizes=[len(part) for part in parts])


def unpack(*loads: base.Load) -> tuple[bytes, base.Chunk]:
    """All packets, and the sums."""
    unpacker = datagrams.Unpacker()
    chunks = [unpacker.unpack(one) for one in (*loads, load())]
    total = base.Chunk(
        packets=np.empty(0, dtype=np.uint8),
        datagrams=sum(c.datagrams for c in chunks),
        sync_bytes=sum(c.sync_bytes for c in chunks),
        rtp_lost=sum(c.rtp_lost for c in chunks),
        rtp_late=sum(c.rtp_late for c in chunks),
        protocol=unpacker.protocol,
    )
    return b"".join(c.packets.tobytes() for c in chunks), total


def with_rtp(payloads: list[bytes], first: int = 65530) -> list[bytes]:
    return [transport.rtp(payload, first + place) for place, payload in enumerate(payloads)]


def test_plain_udp_comes_out_as_it_went_in() -> None:
    out, chunk = unpack(load(*PAYLOADS[:20]), load(*PAYLOADS[20:]))

    assert out == STREAM
    assert (chunk.protocol, chunk.datagrams, chunk.sync_bytes) == ("udp", 60, 0)


def test_rtp_is_known_by_its_bytes_and_loses_its_header() -> None:
    sent = with_rtp(PAYLOADS)

    out, chunk = unpack(load(*sent[:1]), load(*sent[1:20]), load(*sent[20:]))

    assert out == STREAM
    assert (chunk.protocol, chunk.sync_bytes, chunk.rtp_lost, chunk.rtp_late) == ("rtp", 0, 0, 0)


def test_contributors_extension_and_padding_are_removed() -> None:
    payload = PAYLOADS[0]
    contributors = transport.rtp(b"\1\2\3\4" * 3 + payload, 1, extra=3)
    extension = transport.rtp(struct.pack(">HH", 7, 2) + b"\x47" * 8 + payload, 2, extra=0x10)
    padding = transport.rtp(payload + b"\0\0\0\4", 3, extra=0x20)

    out, chunk = unpack(load(contributors, extension, padding))

    assert out == payload * 3
    assert chunk.sync_bytes == 0


def test_a_dynamic_payload_type_is_known_by_the_sync_byte() -> None:
    sent = [transport.rtp(payload, number, kind=97) for number, payload in enumerate(PAYLOADS)]

    assert unpack(load(*sent))[0] == STREAM


@pytest.mark.parametrize("batch", [1, 3, 60])
def test_missing_numbers_are_counted(batch: int) -> None:
    sent = with_rtp(PAYLOADS)
    del sent[30:33]

    out, chunk = unpack(*(load(*sent[i : i + batch]) for i in range(0, len(sent), batch)))

    assert out == b"".join(PAYLOADS[:30] + PAYLOADS[33:])
    assert (chunk.rtp_lost, chunk.rtp_late) == (3, 0)


@pytest.mark.parametrize("batch", [1, 4, 60])
def test_duplicates_are_left_out(batch: int) -> None:
    sent = [twin for one in with_rtp(PAYLOADS) for twin in (one, one)]

    out, chunk = unpack(*(load(*sent[i : i + batch]) for i in range(0, len(sent), batch)))

    assert out == STREAM
    assert (chunk.rtp_lost, chunk.rtp_late) == (0, 60)


def test_swapped_datagrams_of_one_load_are_put_right() -> None:
    sent = with_rtp(PAYLOADS)
    sent[4], sent[6] = sent[6], sent[4]

    out, chunk = unpack(load(*sent))

    assert out == STREAM
    assert (chunk.rtp_lost, chunk.rtp_late) == (0, 0)


def test_a_sender_that_starts_anew_is_no_loss() -> None:
    first, second = with_rtp(PAYLOADS[:30], first=100), with_rtp(PAYLOADS[30:], first=40000)

    out, chunk = unpack(load(*first), load(*second))

    assert out == STREAM
    assert chunk.rtp_lost == 0


def test_another_sender_is_no_loss() -> None:
    second = [transport.rtp(payload, number, sender=99) for number, payload in enumerate(PAYLOADS[30:])]

    out, chunk = unpack(load(*with_rtp(PAYLOADS[:30]), *second))

    assert out == STREAM
    assert chunk.rtp_lost == 0


def test_other_datagrams_among_rtp_are_left_out_and_counted() -> None:
    sent = with_rtp(PAYLOADS)
    sent.insert(10, b"\x80\x60" + b"error correction")

    out, chunk = unpack(load(*sent))

    assert out == STREAM
    assert chunk.sync_bytes == 18


@pytest.mark.parametrize("size", [1472, 100, 189, 65000])
def test_packets_cut_by_datagrams_are_whole_again(size: int) -> None:
    parts = [STREAM[i : i + size] for i in range(0, len(STREAM), size)]

    out, chunk = unpack(*(load(part) for part in parts))

    assert out == STREAM
    assert chunk.sync_bytes == 0


def test_rubbish_between_packets_is_counted_and_left_out() -> None:
    noise = bytes(200)

    out, chunk = unpack(load(noise, *PAYLOADS[:20], noise, *PAYLOADS[20:40]), load(noise), load(*PAYLOADS[40:]))

    assert out == STREAM
    assert chunk.sync_bytes == 600


def test_one_broken_sync_byte_costs_one_packet() -> None:
    broken = bytearray(STREAM)
    broken[188 * 100] = 0

    out, chunk = unpack(load(bytes(broken)))

    assert out == STREAM[: 188 * 100] + STREAM[188 * 101 :]
    assert chunk.sync_bytes == 188


def test_a_packet_that_was_cut_off_does_not_spoil_the_next() -> None:
    out, chunk = unpack(load(*PAYLOADS[:5]), load(PAYLOADS[5][:100]), load(*PAYLOADS[6:]))

    assert out == b"".join(PAYLOADS[:5] + PAYLOADS[6:])
    assert chunk.sync_bytes == 100


@pytest.mark.parametrize(("before", "after"), [(0, 16), (4, 0)])
def test_packets_with_extra_bytes_are_found(before: int, after: int) -> None:
    noise = random.Random(1)
    packets = [STREAM[i : i + 188] for i in range(0, len(STREAM), 188)]
    wide = b"".join(noise.randbytes(before) + packet + noise.randbytes(after) for packet in packets)

    out, _ = unpack(*(load(wide[i : i + 1316]) for i in range(0, len(wide), 1316)))

    assert len(out) >= len(STREAM) - 4 * 188
    assert out in STREAM


def test_empty_datagrams_are_no_trouble() -> None:
    out, chunk = unpack(load(), load(b"", b""), load(b"", *PAYLOADS, b""))

    assert out == STREAM
    assert chunk.datagrams == 64


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(st.binary(max_size=700), max_size=6), max_size=6))
def test_anything_is_survived_and_only_packets_come_out(loads: list[list[bytes]]) -> None:
    out, chunk = unpack(*(load(*parts) for parts in loads))

    assert len(out) % 188 == 0
    assert all(out[i] == 0x47 for i in range(0, len(out), 188))
    assert len(out) + chunk.sync_bytes <= sum(len(part) for parts in loads for part in parts)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.integers(0, 59).map(lambda n: PAYLOADS[n]),
            st.tuples(st.integers(0, 65535), st.integers(0, 255), st.integers(0, 59)).map(
                lambda t: transport.rtp(PAYLOADS[t[2]], t[0], kind=t[1], extra=t[1] & 0x3F)
            ),
            st.binary(max_size=40),
        ),
        max_size=30,
    ),
    st.integers(1, 9),
)
def test_mixtures_of_everything_are_survived(parts: list[bytes], batch: int) -> None:
    out, _ = unpack(*(load(*parts[i : i + batch]) for i in range(0, len(parts), batch)))

    assert len(out) % 188 == 0
    assert all(out[i] == 0x47 for i in range(0, len(out), 188))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 2000), min_size=1, max_size=40))
def test_a_good_stream_cut_anywhere_is_whole(cuts: list[int]) -> None:
    aligner = align.Aligner()
    out, place = b"", 0
    for cut in [*cuts, len(STREAM)]:
        packets, skipped = aligner.feed(np.frombuffer(STREAM[place : place + cut], dtype=np.uint8))
        out += packets.tobytes()
        place += cut
        assert skipped == 0
    assert out == STREAM


@given(st.binary(max_size=100))
def test_a_header_is_read_or_refused(datagram: bytes) -> None:
    head = rtp.header(datagram)

    assert head is None or 12 <= head.start <= head.end <= len(datagram)


@given(st.randoms(use_true_random=False), st.integers(1, 9))
@settings(max_examples=40, deadline=None)
def test_datagrams_that_come_a_hand_over_late_are_put_in_their_place(shuffle: random.Random, batch: int) -> None:
    sent = with_rtp(PAYLOADS)
    for place in range(1, len(sent) - batch, batch):
        other = min(place + shuffle.randrange(batch), len(sent) - 1)  # at most into the next load
        sent[place], sent[other] = sent[other], sent[place]

    out, chunk = unpack(*(load(*sent[i : i + batch]) for i in range(0, len(sent), batch)))

    assert out == STREAM
    assert (chunk.rtp_lost, chunk.rtp_late) == (0, 0)


def test_a_hole_is_waited_for_one_hand_over_and_no_longer() -> None:
    unpacker = datagrams.Unpacker()
    sent = with_rtp(PAYLOADS)
    first = unpacker.unpack(load(*sent[:10], *sent[11:20]))
    second = unpacker.unpack(load(*sent[20:30]))

    assert first.packets.tobytes() == b"".join(PAYLOADS[:10])
    assert second.packets.tobytes() == b"".join(PAYLOADS[11:30])
    assert (first.rtp_lost, second.rtp_lost) == (0, 1)


def test_a_sender_that_changes_to_plain_udp_loses_nothing() -> None:
    sent = with_rtp(PAYLOADS)

    out, chunk = unpack(load(*sent[:10], *sent[11:20]), load(*PAYLOADS[20:]))

    assert out == b"".join(PAYLOADS[:10] + PAYLOADS[11:])
    assert chunk.protocol == "udp"


@pytest.mark.parametrize(("before", "after"), [(4, 0), (0, 16)], ids=["192 bytes", "204 bytes"])
@pytest.mark.parametrize("with_header", [False, True])
def test_longer_packets_across_loads_are_cut_to_188(before: int, after: int, *, with_header: bool) -> None:
    longer = b"".join(b"\x12" * before + STREAM[i : i + 188] + b"\x11" * after for i in range(0, len(STREAM), 188))
    pieces = [longer[i : i + 1000] for i in range(0, len(longer), 1000)]
    sent = [transport.rtp(one, number) for number, one in enumerate(pieces)] if with_header else pieces

    out, _ = unpack(*(load(*sent[i : i + 5]) for i in range(0, len(sent), 5)))

    assert out == STREAM or len(STREAM) - len(out) <= 2 * 188
    assert out in STREAM
