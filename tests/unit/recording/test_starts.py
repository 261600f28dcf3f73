"""When a recording is to begin, as people type it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from nephos.lib import errors
from nephos.recording import starts

NOW = datetime(2026, 11, 22, 20, 10, tzinfo=UTC)  # 21:10 in Madrid


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("20:00", datetime(2026, 11, 22, 19, tzinfo=UTC)),
        ("22:00:05", datetime(2026, 11, 22, 21, 0, 5, tzinfo=UTC)),
        ("01:30", datetime(2026, 11, 23, 0, 30, tzinfo=UTC)),
        ("09:15", datetime(2026, 11, 22, 8, 15, tzinfo=UTC)),
        ("09:05", datetime(2026, 11, 23, 8, 5, tzinfo=UTC)),
        ("-30m", datetime(2026, 11, 22, 19, 40, tzinfo=UTC)),
        ("2026-11-22T12:00:00+01:00", datetime(2026, 11, 22, 11, tzinfo=UTC)),
    ],
)
def test_a_start_is_the_nearest_one_on_the_wall(text: str, expected: datetime) -> None:
    assert starts.read(text, zone="Europe/Madrid", now=NOW) == expected


@pytest.mark.parametrize("text", ["", "25:00", "yesterday", "-", "2026-11-22T12:00:00", "T", "--5m"])
def test_what_is_no_start_is_refused(text: str) -> None:
    with pytest.raises(errors.Invalid):
        starts.read(text, zone="UTC", now=NOW)
