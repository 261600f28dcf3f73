"""Rates and hours."""

from __future__ import annotations

from datetime import datetime

import pytest

from nephos.config.errors import ConfigError
from nephos.sync import timetable

MONDAY = datetime(2026, 11, 23)


@pytest.mark.parametrize(
    ("lines", "day", "hour", "rate"),
    [
        ([], 0, 12, 1000),
        (["mon-fri 08:00-18:00 500"], 0, 12, 500),
        (["mon-fri 08:00-18:00 500"], 0, 18, 1000),
        (["mon-fri 08:00-18:00 500"], 5, 12, 1000),
        (["sat,sun 00:00-24:00 full"], 6, 23, None),
        (["daily 22:00-06:00 off"], 2, 23, 0),
        (["daily 22:00-06:00 off"], 2, 5, 0),
        (["fri 22:00-06:00 off"], 5, 5, 0),
        (["fri 22:00-06:00 off"], 4, 5, 1000),
        (["sat-mon 00:00-24:00 7"], 0, 1, 7),
    ],
)
def test_the_first_window_that_covers_the_moment_counts(
    lines: list[str], day: int, hour: int, rate: int | None
) -> None:
    table = timetable.parse(lines, plain=1000)

    assert table.rate_at(MONDAY.replace(day=23 + day, hour=hour)) == rate


@pytest.mark.parametrize(
    "line", ["", "mon", "mon 8:00-9:00 1", "mon 08:00-25:00 1", "xyz 08:00-09:00 1", "mon 08:00 1"]
)
def test_what_is_no_line_is_refused(line: str) -> None:
    with pytest.raises(ConfigError):
        timetable.parse([line])


def test_a_throttle_asks_to_wait_as_long_as_the_rate_says() -> None:
    throttle = timetable.Throttle(timetable.parse([], plain=1_000_000))

    assert 1.5 < throttle.delay(2_000_000) < 2.0
    assert timetable.Throttle(timetable.Timetable()).delay(10**9) == 0
