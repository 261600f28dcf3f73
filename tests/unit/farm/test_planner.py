"""Which task goes where, and what a look at a job asks for."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from nephos.farm import planner
from nephos.farm.states import JobState, TaskState

R, T = planner.Ready, TaskState


def step(name: str, *depends: str, total: int = 1, laid_out: int | None = None, **counts: int) -> planner.StepView:
    seen = {TaskState(state): number for state, number in counts.items()}
    return planner.StepView(name, depends, total, sum(counts.values()) if laid_out is None else laid_out, seen)


@pytest.mark.parametrize(
    ("ready", "free", "expected"),
    [
        ([], {"a": 2}, []),
        ([R(1)], {}, []),
        ([R(1)], {"a": 0}, []),
        ([R(1), R(2), R(3)], {"a": 2}, [(1, "a"), (2, "a")]),
        ([R(1, avoid="a")], {"a": 1, "b": 1}, [(1, "b")]),
        ([R(1, avoid="a")], {"a": 1}, [(1, "a")]),
        ([R(1), R(2)], {"a": 1, "b": 2}, [(1, "b"), (2, "b")]),
        ([R(1), R(2)], {"a": -1, "b": 1}, [(1, "b")]),
    ],
)
def test_urgent_tasks_get_the_free_slots(
    ready: list[planner.Ready], free: dict[str, int], expected: list[tuple[int, str]]
) -> None:
    assert planner.choose(ready, free) == expected


@given(
    some.lists(some.sampled_from(["", "a", "b", "c"]), max_size=20),
    some.dictionaries(some.sampled_from("abcd"), some.integers(-1, 5)),
)
def test_never_more_than_the_free_slots_are_given_and_none_is_left_idle(avoid: list[str], free: dict[str, int]) -> None:
    ready = [R(number, avoid=name) for number, name in enumerate(avoid)]

    chosen = planner.choose(ready, free)

    for worker, slots in free.items():
        assert sum(name == worker for _, name in chosen) <= max(0, slots)
    assert len(chosen) == min(len(ready), sum(max(0, slots) for slots in free.values()))
    assert [task for task, _ in chosen] == list(range(len(chosen)))


def test_a_step_is_released_when_all_it_needs_is_done() -> None:
    before = [step("a", done=1), step("b", running=1), step("c", "a", "b", waiting=1)]
    after = [step("a", done=1), step("b", done=1), step("c", "a", "b", waiting=1)]

    assert planner.survey(before) == planner.Survey()
    assert planner.survey(after) == planner.Survey(release=("c",))


def test_what_needs_a_broken_step_is_given_up_but_the_rest_goes_on() -> None:
    steps = [step("a", failed=1), step("b", "a", waiting=1), step("c", "b", waiting=1), step("d", running=1)]

    assert planner.survey(steps) == planner.Survey(give_up=("b", "c"))


@pytest.mark.parametrize(
    ("steps", "end"),
    [
        ([step("a", done=1)], JobState.DONE),
        ([step("a", done=1), step("b", done=2, total=2)], JobState.DONE),
        ([step("a", done=1), step("b", done=1, total=2)], None),
        ([step("a", failed=1)], JobState.FAILED),
        ([step("a", failed=1), step("b", running=1)], None),
        ([step("a", failed=1), step("b", "a", cancelled=1)], JobState.FAILED),
        ([step("a", failed=1, done=3, total=500)], JobState.FAILED),
        ([step("a", failed=1, ready=3, total=500)], None),
    ],
)
def test_a_job_ends_when_nothing_more_can_happen(steps: list[planner.StepView], end: JobState | None) -> None:
    assert planner.survey(steps).end == end


def test_large_steps_are_laid_out_portion_by_portion() -> None:
    full = step("a", total=1000, ready=150, done=50)
    low = step("a", total=1000, ready=50, done=150)
    broken = step("a", total=1000, ready=50, failed=1)

    assert [planner.survey([view]).lay_out for view in (full, low, broken)] == [(), ("a",), ()]


def test_a_failure_is_tried_again_later_and_later_until_its_tries_are_over() -> None:
    first = planner.after_failure(tries=0, setbacks=0, losses=0, max_tries=2, counts=True)
    last = planner.after_failure(tries=first.tries, setbacks=0, losses=0, max_tries=2, counts=True)

    assert (first.state, first.tries) == (T.READY, 1)
    assert timedelta(0) < first.wait <= timedelta(minutes=5)
    assert (last.state, last.tries) == (T.FAILED, 2)


def test_a_failure_that_does_not_count_is_tried_for_ever_but_never_later_than_five_minutes() -> None:
    after = planner.after_failure(tries=1, setbacks=400, losses=0, max_tries=2, counts=False)

    assert (after.state, after.tries, after.setbacks) == (T.READY, 1, 401)
    assert after.wait <= timedelta(minutes=5)


def test_a_lost_worker_costs_no_try_but_a_task_that_kills_ten_is_given_up() -> None:
    assert planner.after_loss(tries=0, setbacks=0, losses=0) == planner.Next(T.READY, timedelta(0), 0, 0, 1)
    assert planner.after_loss(tries=0, setbacks=0, losses=9).state == T.FAILED
