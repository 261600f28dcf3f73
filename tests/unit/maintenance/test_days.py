"""The digest comes once a day, on the nights when the clocks change too."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nephos.maintenance import days

MADRID = ZoneInfo("Europe/Madrid")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "wall", "day", "until"),
    [
        ("2026-11-22T22:58:59", "23:59", date(2026, 11, 21), "2026-11-21T22:59:00"),
        ("2026-11-22T22:59:00", "23:59", date(2026, 11, 22), "2026-11-22T22:59:00"),
        ("2026-11-22T12:00:00", "00:00", date(2026, 11, 22), "2026-11-21T23:00:00"),
        # 2026-03-29: 02:30 does not exist, the clocks go from 02:00 to 03:00 at 01:00 UTC.
        ("2026-03-29T01:29:00", "02:30", date(2026, 3, 28), "2026-03-28T01:30:00"),
        ("2026-03-29T01:30:00", "02:30", date(2026, 3, 29), "2026-03-29T01:30:00"),
        # 2026-10-25: 02:30 comes twice, at 00:30 and at 01:30 UTC.
        ("2026-10-25T00:30:00", "02:30", date(2026, 10, 25), "2026-10-25T00:30:00"),
        ("2026-10-25T01:30:00", "02:30", date(2026, 10, 25), "2026-10-25T00:30:00"),
        ("2028-02-29T23:30:00", "00:15", date(2028, 3, 1), "2028-02-29T23:15:00"),
    ],
)
def test_the_day_and_its_moment(now: str, wall: str, day: date, until: str) -> None:
    found = days.last_due(at(now), at=time.fromisoformat(wall), zone=MADRID)

    assert (found.day, found.until) == (day, at(until))


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["Europe/Madrid", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "UTC"]),
    st.times().map(lambda one: one.replace(second=0, microsecond=0)),
    st.datetimes(min_value=datetime(2026, 1, 1), max_value=datetime(2027, 12, 1)),
)
def test_each_day_is_due_once_and_days_join_without_a_seam(zone: str, wall: time, start: datetime) -> None:
    now = start.replace(tzinfo=UTC)
    found = [days.last_due(now + timedelta(hours=hour), at=wall, zone=ZoneInfo(zone)) for hour in range(0, 24 * 9, 3)]
    distinct = list(dict.fromkeys(found))

    for before, after in itertools.pairwise(distinct):
        assert after.day == before.day + timedelta(days=1)
        assert after.since == before.until
    assert len(distinct) in (9, 10)
