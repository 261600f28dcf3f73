"""When it will be full, from what is booked and how it went."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from nephos.maintenance.forecast import Draw, Sample, full_at, trend

NOW = datetime(2026, 11, 22, 20, tzinfo=UTC)
HOUR = timedelta(hours=1)


def hours(number: float) -> datetime:
    return NOW + number * HOUR


def test_it_is_full_in_the_middle_of_a_booking() -> None:
    assert full_at(now=NOW, usable_bytes=3600, draws=[Draw(hours(2), hours(5), 1.0)]) == hours(3)


def test_bookings_at_once_fill_it_together() -> None:
    draws = [Draw(hours(0), hours(4), 1.0), Draw(hours(1), hours(4), 1.0)]

    assert full_at(now=NOW, usable_bytes=3 * 3600, draws=draws) == hours(2)


def test_a_booking_that_runs_counts_with_its_rest() -> None:
    assert full_at(now=NOW, usable_bytes=3600, draws=[Draw(hours(-5), hours(4), 1.0)]) == hours(1)


def test_after_the_bookings_it_goes_on_as_they_were() -> None:
    assert full_at(now=NOW, usable_bytes=2 * 3600, draws=[Draw(hours(0), hours(1), 1.0)], later=0.5) == hours(3)


def test_what_grows_besides_fills_it_too() -> None:
    assert full_at(now=NOW, usable_bytes=2 * 3600, draws=[], background=1.0) == hours(2)


def test_it_is_never_full_where_nothing_is_written() -> None:
    assert full_at(now=NOW, usable_bytes=1, draws=[]) is None
    assert full_at(now=NOW, usable_bytes=10**15, draws=[Draw(hours(0), hours(1), 1.0)], later=1.0) is None


def test_what_is_full_is_full_now() -> None:
    assert full_at(now=NOW, usable_bytes=-1, draws=[]) == NOW


def test_the_trend_is_not_misled_by_one_clean_up() -> None:
    steady = [Sample(hours(number), 10**9 - number * 3600) for number in range(24)]
    cleaned = [Sample(one.at, one.free_bytes + (10**8 if number > 20 else 0)) for number, one in enumerate(steady)]

    assert trend(steady) == 1.0
    assert abs(trend(cleaned) - 1.0) < 0.2
    assert trend(steady[:3]) == 0.0
    assert trend([]) == 0.0


@given(
    st.integers(1, 10**9),
    st.lists(st.tuples(st.integers(0, 200), st.integers(1, 50), st.integers(0, 1000)), max_size=8),
)
def test_until_then_exactly_the_space_is_written(usable: int, spans: list[tuple[int, int, int]]) -> None:
    draws = [Draw(hours(start), hours(start + length), float(rate)) for start, length, rate in spans]
    found = full_at(now=NOW, usable_bytes=usable, draws=draws)
    total = sum((one.end - one.start).total_seconds() * one.bytes_per_second for one in draws)

    if found is None:
        assert total < usable + 1
    else:
        written = sum(
            max(0.0, (min(one.end, found) - one.start).total_seconds()) * one.bytes_per_second for one in draws
        )
        assert abs(written - usable) <= 1 + usable * 1e-6
