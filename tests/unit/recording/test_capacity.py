"""What is booked against the network and the disk."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from nephos.recording import capacity

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def minute(number: float) -> datetime:
    return NOON + timedelta(minutes=number)


def demand(start: float, end: float, *, channel: str = "a", rate: int = 8_000_000, title: str = "") -> capacity.Demand:
    return capacity.Demand(
        title=title or channel, channel=channel, start=minute(start), end=minute(end), bits_per_second=rate, booking=1
    )


def test_overlapping_channels_that_want_too_much_are_told_with_the_time() -> None:
    wanted = [demand(0, 60), demand(30, 90, channel="b"), demand(40, 50, channel="c", rate=1_000_000)]

    [first, second, third] = capacity.network(wanted, limit=15_000_000)

    assert (first.start, first.end, first.titles) == (minute(30), minute(40), ("a", "b"))
    assert (second.wanted, second.titles) == (17_000_000, ("a", "b", "c"))
    assert third.end == minute(60)
    assert "12:30" in first.sentence
    assert "2 bookings want 16 Mb/s of the network's 15 Mb/s" in first.sentence


def test_bookings_of_one_channel_are_received_once() -> None:
    assert capacity.network([demand(0, 60), demand(0, 60), demand(30, 90)], limit=8_000_000) == []
    assert capacity.network([demand(0, 60, rate=10**12)], limit=0) == []


def test_neighbours_do_not_overlap() -> None:
    assert capacity.network([demand(0, 30), demand(30, 60, channel="b")], limit=8_000_000) == []


def test_the_booking_that_fills_the_disk_is_named_with_the_moment() -> None:
    an_hour = demand(0, 60).bytes
    assert an_hour == 3_600_000_000

    [short] = capacity.disk(
        [demand(60, 120, title="Film"), demand(0, 60)], free=an_hour + an_hour // 2 + 1000, floor=1000
    )

    assert short.start == minute(90)
    assert short.titles == ("Film",)
    assert "The disk is full on Sun 2026-11-22 13:30 UTC, with Film" in short.sentence
    assert capacity.disk([demand(0, 60)], free=an_hour, floor=0) == []
    assert capacity.disk([demand(0, 60)], free=0, floor=1000)[0].start == minute(0)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 50), st.integers(1, 30), st.sampled_from("abcd"), st.integers(1, 9)), max_size=12
    ),
    st.integers(1, 25),
)
def test_shortages_agree_with_a_look_at_every_minute(rows: list[tuple[int, int, str, int]], limit: int) -> None:
    rates = {channel: rate for _, _, channel, rate in rows}
    wanted = [demand(start, start + length, channel=name, rate=rates[name]) for start, length, name, _ in rows]

    found = capacity.network(wanted, limit=limit)

    for number in range(85):
        middle = minute(number + 0.5)
        carried = {one.channel: one.bits_per_second for one in wanted if one.start <= middle < one.end}
        assert any(one.start <= middle < one.end for one in found) == (sum(carried.values()) > limit)
