"""What people type for a schedule."""

from __future__ import annotations

from datetime import date, time, timedelta

import pytest

from nephos.lib import errors
from nephos.recording import fields, rules


@pytest.mark.parametrize("text", ["20:30", "00:00", "23:59:59"])
def test_times_are_read(text: str) -> None:
    assert fields.read_time(text) == time.fromisoformat(text)


@pytest.mark.parametrize(
    "text", ["", "99:99", "24:00", "7:30", "20", "20:30:60", "20:30\n", "٢٠:٣٠", "x" * 300, None, 5]
)
def test_bad_times_are_refused_in_one_short_sentence(text: str) -> None:
    with pytest.raises(errors.Invalid) as caught:
        fields.read_time(text)

    assert len(caught.value.message) < 120


def test_times_of_python_need_whole_seconds() -> None:
    with pytest.raises(errors.Invalid):
        fields.read_time(time(1, 2, 3, 4))


@pytest.mark.parametrize("text", ["2027-02-29", "2026-13-01", "20261122", "tomorrow", "2026-11-22T00:00", "x" * 300])
def test_bad_dates_are_refused(text: str) -> None:
    with pytest.raises(errors.Invalid):
        fields.read_date(text)


def test_dates_are_read() -> None:
    assert fields.read_date("2028-02-29") == date(2028, 2, 29)
    assert fields.read_date("") is None
    assert fields.read_date(None) is None


@pytest.mark.parametrize(
    ("text", "mask"),
    [
        ("mon-fri", rules.WORKING_DAYS),
        ("sat,sun", rules.WEEKEND),
        ("sat-mon", 0b1100001),
        ("Wednesday", 0b0000100),
        ("1111100", rules.WORKING_DAYS),
        ("0000001", 64),
        ("daily", rules.EVERY_DAY),
        ("once", 0),
        (["mon", "wed"], 0b0000101),
        ([], 0),
        (31, rules.WORKING_DAYS),
    ],
)
def test_weekdays_are_read(text: str, mask: int) -> None:
    assert fields.read_weekdays(text) == mask


@pytest.mark.parametrize("text", ["moon", "mon-", "-", "mon;tue", "1111112", 128, -1, True, "mon\ntue", "x" * 300])
def test_bad_weekdays_are_refused(text: str) -> None:
    with pytest.raises(errors.Invalid):
        fields.read_weekdays(text)


@pytest.mark.parametrize("value", [0, -5, "0s", "0.5s", 1.5, "8d", timedelta(days=8), 1e300, "soon", None, True, ""])
def test_bad_durations_are_refused(value: object) -> None:
    with pytest.raises(errors.Invalid):
        fields.read_duration(value)  # type: ignore[arg-type]


def test_durations_are_read() -> None:
    assert fields.read_duration("1h30m") == timedelta(minutes=90)
    assert fields.read_duration(20) == timedelta(seconds=20)
    assert fields.read_duration(timedelta(days=7)) == timedelta(days=7)


def test_padding_may_be_nothing_but_not_negative() -> None:
    assert fields.read_padding(0) == timedelta(0)
    with pytest.raises(errors.Invalid):
        fields.read_padding(-1)
    with pytest.raises(errors.Invalid):
        fields.read_padding("7h")


@pytest.mark.parametrize("value", ["../x", "a b", "a;b", "x" * 300, "a\n", 5])
def test_bad_pipelines_are_refused(value: str) -> None:
    with pytest.raises(errors.Invalid):
        fields.read_pipeline(value)


@pytest.mark.parametrize("value", [101, -101, "5", True, None])
def test_bad_priorities_are_refused(value: int) -> None:
    with pytest.raises(errors.Invalid):
        fields.read_priority(value)


def test_tags_are_kept_once_and_in_order() -> None:
    assert fields.read_tags(["b", "a", "b"]) == ["b", "a"]
    for bad in ["abc", ["a\nb"], [""], [3], [f"t{n}" for n in range(51)]]:
        with pytest.raises(errors.Invalid):
            fields.read_tags(bad)  # type: ignore[arg-type]
