"""The clock of a programme, and what is wrong with a stream that comes."""

from __future__ import annotations

import pytest

from nephos.recording import health, pcr, watch

SECOND = pcr.TICKS_PER_SECOND


def steps(clock: pcr.Clock, *ticks: int | None) -> list[pcr.Step]:
    return [clock.step(one, 100.0 + place) for place, one in enumerate(ticks)]


def test_a_running_clock_is_nothing_special() -> None:
    assert set(steps(pcr.Clock(), *(SECOND * n for n in range(20)))) == {pcr.Step()}


def test_a_jump_is_told_once() -> None:
    seen = steps(pcr.Clock(), 0, SECOND, 90 * SECOND, 91 * SECOND, 5 * SECOND, 6 * SECOND)

    assert [one.jumped for one in seen] == [False, False, True, False, True, False]


def test_the_wrap_after_a_day_is_no_jump() -> None:
    start = pcr.WRAP - 2 * SECOND
    seen = steps(pcr.Clock(), *((start + SECOND * n) % pcr.WRAP for n in range(5)))

    assert [one.wrapped for one in seen] == [False, False, True, False, False]
    assert not any(one.jumped for one in seen)


def test_a_silence_over_which_the_clock_ran_on_is_no_jump() -> None:
    assert not any(one.jumped for one in steps(pcr.Clock(), 0, None, None, None, 4 * SECOND))


def test_a_clock_that_stands_still_is_told_after_some_seconds() -> None:
    seen = steps(pcr.Clock(), 0, *([SECOND] * 8), 20 * SECOND, 21 * SECOND)

    assert [one.is_frozen for one in seen] == [False] * 6 + [True] * 3 + [False] * 2


GOOD = health.Counts(packets=1000)


@pytest.mark.parametrize(
    ("counts", "sync_bytes", "is_frozen", "problem"),
    [
        (GOOD, 0, True, "frozen-clock"),
        (health.Counts(packets=1000, null=1000), 0, False, "stuffing"),
        (health.Counts(packets=1000, scrambled=900), 0, False, "scrambled"),
        (health.Counts(), 100_000, False, "not-ts"),
        (health.Counts(packets=1000, cc=50), 0, False, "losses"),
    ],
)
def test_a_problem_opens_after_some_seconds_and_closes_after_some(
    counts: health.Counts, sync_bytes: int, problem: str, *, is_frozen: bool
) -> None:
    seen = watch.Watch()

    opened = [seen.note(counts, sync_bytes=sync_bytes, is_frozen=is_frozen) for _ in range(10)]
    assert opened.count(True) == 1
    assert (opened[3], opened[4], seen.problem) == (False, True, problem)
    closed = [seen.note(GOOD, sync_bytes=0, is_frozen=False) for _ in range(10)]
    assert (closed.count(True), seen.problem) == (1, "")


def test_a_silent_second_says_nothing_about_the_stream() -> None:
    seen = watch.Watch()

    for _ in range(4):
        seen.note(health.Counts(packets=10, null=10), sync_bytes=0, is_frozen=False)
        assert not seen.note(health.Counts(), sync_bytes=0, is_frozen=False)
    assert seen.problem == ""
