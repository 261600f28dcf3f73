"""Sizes and lengths of time as people write them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nephos.lib import errors, text


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("20s", 20), ("1h30m", 5400), ("2d", 172_800), ("0.5s", 0.5), ("01:30", 5400), ("00:00:20", 20), (" 3m ", 180)],
)
def test_lengths_of_time_are_read(written: str, seconds: float) -> None:
    assert text.parse_duration(written) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "written", ["", " ", "s", "20", "h1", "-5s", "1.5h", "20s20s", "25:61", "0:0:60", "ten minutes", "9" * 300 + "d"]
)
def test_what_is_no_length_of_time_is_refused(written: str) -> None:
    with pytest.raises(errors.Invalid) as caught:
        text.parse_duration(written)

    assert caught.value.hint
    assert len(caught.value.message) < 100


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(written: str) -> None:
    try:
        found = text.parse_duration(written)
    except errors.Invalid:
        return
    assert found >= timedelta(0)


@pytest.mark.parametrize(
    ("written", "size"), [("500", 500), ("64KiB", 65536), ("1.5M", 1_572_864), ("2gb", 2 * 1024**3)]
)
def test_sizes_are_read(written: str, size: int) -> None:
    assert text.parse_size(written) == size


@pytest.mark.parametrize(
    ("length", "words"),
    [(timedelta(seconds=20), "20 s"), (timedelta(minutes=90), "1h 30m"), (timedelta(days=2, seconds=5), "2d 5s")],
)
def test_lengths_of_time_are_told(length: timedelta, words: str) -> None:
    assert text.duration(length) == words


def test_sizes_rates_and_counts_are_told() -> None:
    assert text.size(1536) == "1.5 KiB"
    assert text.size(0) == "0 B"
    assert text.bit_rate(4_200_000) == "4.2 Mb/s"
    assert text.count(1, "gap") == "1 gap"
    assert text.count(2000, "gap") == "2,000 gaps"
