"""What to do next, as data; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from nephos.farm.states import JobState, TaskState
from nephos.lib import backoff

PORTION = 200  # rows laid out at once
_LOW_WATER = 100
_MOST_LOSSES = 10  # a task that takes its worker down ten times is the likelier culprit
_FAILURES = backoff.Backoff(first=timedelta(seconds=2), most=timedelta(minutes=5))

_T = TaskState


@dataclass(frozen=True, slots=True)
class Ready:
    """A task that may run; sorted by urgency before it comes here."""

    task: int
    avoid: str = ""


@dataclass(frozen=True, slots=True)
class StepView:
    """A step and how many of its tasks are in each state."""

    name: str
    depends: tuple[str, ...]
    total: int
    laid_out: int
    counts: Mapping[TaskState, int]

    def of(self, *states: TaskState) -> int:
        return sum(self.counts.get(state, 0) for state in states)

    @property
    def done(self) -> bool:
        return self.of(_T.DONE) == self.total

    @property
    def broken(self) -> bool:
        return self.of(_T.FAILED, _T.CANCELLED) > 0


@dataclass(frozen=True, slots=True)
class Survey:
    """What a look at a job asks for: steps to open, to lay out further, to give up; and the end of the job."""

    release: tuple[str, ...] = ()
    lay_out: tuple[str, ...] = ()
    give_up: tuple[str, ...] = ()
    end: JobState | None = None


@dataclass(frozen=True, slots=True)
class Next:
    """What becomes of a task whose attempt did not succeed."""

    state: TaskState
    wait: timedelta
    tries: int
    setbacks: int
    losses: int


def choose(ready: Sequence[Ready], free: Mapping[str, int]) -> list[tuple[int, str]]:
    """Tasks and the workers they go to: the most urgent first, never more than there are free slots.

    A task keeps away from the worker where it failed last, unless no other worker has room.
    """
    room = {worker: slots for worker, slots in free.items() if slots > 0}
    chosen: list[tuple[int, str]] = []
    for task in ready:
        if not room:
            break
        worker = max(room, key=lambda name: (name != task.avoid, room[name], name))
        chosen.append((task.task, worker))
        room[worker] -= 1
        if room[worker] == 0:
            del room[worker]
    return chosen


def survey(steps: Sequence[StepView]) -> Survey:
    """Steps come in an order that respects their dependencies."""
    done = {step.name for step in steps if step.done}
    dead: set[str] = set()
    release, lay_out, give_up, open_steps = [], [], [], 0
    for step in steps:
        if step.broken or dead & set(step.depends):
            dead.add(step.name)
            if step.of(_T.WAITING):
                give_up.append(step.name)
        elif set(step.depends) <= done:
            if step.of(_T.WAITING):
                release.append(step.name)
            if step.laid_out < step.total and step.of(_T.READY, _T.WAITING) < _LOW_WATER:
                lay_out.append(step.name)
        if step.of(_T.READY, _T.RUNNING) or (step.name not in dead and not step.done):
            open_steps += 1
    end = None if open_steps else (JobState.DONE if len(done) == len(steps) else JobState.FAILED)
    return Survey(tuple(release), tuple(lay_out), tuple(give_up), end)


def after_failure(*, tries: int, setbacks: int, losses: int, max_tries: int, counts: bool) -> Next:
    """An attempt said that it failed. One that does not count (no program, no disk) is tried again for ever."""
    if not counts:
        return Next(_T.READY, _FAILURES.delay(setbacks), tries, setbacks + 1, losses)
    state = _T.FAILED if tries + 1 >= max_tries else _T.READY
    return Next(state, _FAILURES.delay(tries), tries + 1, setbacks, losses)


def after_loss(*, tries: int, setbacks: int, losses: int) -> Next:
    """An attempt was never heard of again."""
    state = _T.FAILED if losses + 1 >= _MOST_LOSSES else _T.READY
    return Next(state, timedelta(0), tries, setbacks, losses + 1)
