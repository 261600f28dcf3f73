"""Changes of the programme map and jumps of the clock are told with their place in the file."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from nephos.recording import cuts, notices, segments

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def strip(number: int, **more: Any) -> cuts.Strip:
    return cuts.Strip(segments.Second(utc=NOON + timedelta(seconds=number), mono=0, offset=0, **more), 188 * number)


def test_changes_are_listed_with_time_and_place() -> None:
    found = notices.find([strip(0), strip(1, maps=1), strip(2, jumps=2, wraps=1), strip(3, cc=9)])

    assert [(one["kind"], one["count"], one["offset"]) for one in found] == [
        ("programme-map", 1, 188),
        ("clock-jump", 2, 376),
        ("clock-wrap", 1, 376),
    ]
    assert found[0]["at"] == "2026-11-22T12:00:01.000Z"


def test_a_stream_that_changes_all_the_time_does_not_fill_the_manifest() -> None:
    assert len(notices.find([strip(number, maps=1) for number in range(5000)])) == notices.MOST
