"""The strip of a recording's time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from nephos.lib import clock
from nephos.web import strips

START = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)


def manifest(
    seconds: int, *, missing: set[int] = frozenset(), flawed: set[int] = frozenset(), gaps: Any = ()
) -> dict[str, Any]:  # type: ignore[assignment]
    rows = [
        [clock.stamp(START + timedelta(seconds=n)), n * 100, 0 if n in missing else 100, int(n in flawed)]
        for n in range(seconds)
    ]
    end = clock.stamp(START + timedelta(seconds=seconds))
    return {"from_at": clock.stamp(START), "to_at": end, "seconds": rows, "gaps": list(gaps)}


def test_a_whole_recording_is_one_bar() -> None:
    strip = strips.draw(manifest(30))

    assert strip is not None
    assert [(bar.tone, bar.x, bar.width) for bar in strip.bars] == [("good", 0, 1000)]
    assert strip.summary == "30 seconds received, none of them with continuity errors, no gaps"


def test_a_gap_is_shown_where_it_was_and_can_be_jumped_to() -> None:
    gap = {"start": clock.stamp(START + timedelta(seconds=10)), "seconds": 5.0, "cause": "no_signal"}

    strip = strips.draw(manifest(20, missing=set(range(10, 15)), gaps=[gap]))

    assert strip is not None
    bar = strip.bars[-1]
    assert (bar.tone, bar.x, bar.width, bar.at_seconds) == ("bad", 500, 250, 10)
    assert "no signal" in bar.title
    assert [one.tone for one in strip.bars] == ["good", "good", "bad"]


def test_one_bad_second_in_a_day_is_still_seen() -> None:
    strip = strips.draw(manifest(86_400, flawed={40_000}))

    assert strip is not None
    assert sum(bar.tone == "warn" for bar in strip.bars) == 1
    assert len(strip.bars) <= 3


def test_a_short_gap_at_the_very_end_stays_inside() -> None:
    gap = {"start": clock.stamp(START + timedelta(seconds=29.9)), "seconds": 0.1, "cause": ""}

    strip = strips.draw(manifest(30, gaps=[gap]))

    assert strip is not None
    assert strip.bars[-1].x + strip.bars[-1].width <= strips.WIDTH


def test_a_foreign_document_draws_nothing() -> None:
    for broken in ({}, {"from_at": "x", "to_at": "y"}, {**manifest(5), "seconds": [[1]]}, {**manifest(5), "gaps": [7]}):
        assert strips.draw(broken) is None


def test_changes_of_the_stream_are_told() -> None:
    told = {"at": clock.stamp(START), "kind": "programme-map", "text": "The programme map changed."}

    strip = strips.draw({**manifest(30), "notices": [told]})

    assert strip is not None
    assert [one.text for one in strip.notices] == ["The programme map changed."]
