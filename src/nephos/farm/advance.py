"""Move jobs and their tasks on: what one attempt's end, or a look at the whole, asks for."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import timedelta

from django.db import transaction
from django.db.models import Count

from nephos.core import errors as core_errors
from nephos.events import kinds, moves
from nephos.farm import planner, states, templates
from nephos.farm.models import Attempt, Job, Step, Task
from nephos.lib import clock

_T = states.TaskState
_ACTIVE = (states.JobState.QUEUED, states.JobState.RUNNING, states.JobState.PAUSED)


def look_at_all() -> bool:
    """Look at every job that is not over; True if anything was moved."""
    jobs = Job.objects.filter(state__in=_ACTIVE).order_by("created_at")
    return any([look(job) for job in jobs])


def look(job: Job) -> bool:
    """Release, lay out, give up and finish what the state of a job's tasks asks for. Safe to repeat."""
    steps = list(job.steps.all())
    wanted = planner.survey(_views(job, steps))
    if wanted == planner.Survey():
        return False
    by_name = {step.name: step for step in steps}
    with transaction.atomic():
        try:
            for name in wanted.release:
                _move_waiting(by_name[name], to=_T.READY, reason="")
            for name in wanted.give_up:
                _move_waiting(by_name[name], to=_T.CANCELLED, reason="A step that this one needs has failed.")
            for name in wanted.lay_out:
                lay_out(job, by_name[name], state=_T.READY, count=planner.PORTION)
            if wanted.end is not None:
                finish(job, to=wanted.end, reason=_first_reason(job) if wanted.end != states.JobState.DONE else "")
        except core_errors.StaleState:
            transaction.set_rollback(True)  # somebody cancelled it a moment ago; the next look sees that
    return True


def finish(job: Job, *, to: states.JobState, reason: str, actor: str = "") -> None:
    """End a job, and say so exactly once. Raises ForbiddenMove or StaleState."""
    event = kinds.JobFinished(
        subject=f"job:{job.pk}",
        job=job.name,
        state=str(to),
        ok=to == states.JobState.DONE,
        key=job.key or "",
        for_subject=job.subject,
        reason=reason,
    )
    moves.move(job, to=to, event=event, actor=actor, reason=reason, finished_at=clock.now())


def lay_out(job: Job, step: Step, *, state: states.TaskState, count: int) -> None:
    """Make rows for the next tasks of a step."""
    values = templates.task_parameters(job.template, job.parameters, step=step.name, first=step.laid_out, count=count)
    # The count is claimed first, so that two processes can never lay out the same portion.
    laid_out = step.laid_out + len(values)
    if Step.objects.filter(pk=step.pk, laid_out=step.laid_out).update(laid_out=laid_out) != 1:
        raise core_errors.StaleState
    Task.objects.bulk_create(
        Task(job=job, step=step, number=step.laid_out + offset, parameters=each, state=state)
        for offset, each in enumerate(values)
    )
    step.laid_out = laid_out


def task_done(task: Task) -> None:
    """What the task made is published. Raises StaleState if it was cancelled meanwhile."""
    moves.move(task, to=_T.DONE, event=None, progress=1.0, reason="", not_before=None)


def task_failed(attempt: Attempt, *, reason: str, counts: bool) -> None:
    """An attempt failed; its task is tried again or given up."""
    task = attempt.task
    step = planner.after_failure(
        tries=task.tries, setbacks=task.setbacks, losses=task.losses, max_tries=task.job.max_tries, counts=counts
    )
    _take(task, step, reason=reason, avoid=attempt.worker)


def task_lost(attempt: Attempt, *, reason: str, counts: bool) -> None:
    """An attempt was lost; one that never began counts for nothing."""
    task = attempt.task
    step = planner.after_loss(tries=task.tries, setbacks=task.setbacks, losses=task.losses)
    if not counts:
        step = planner.Next(_T.READY, timedelta(0), task.tries, task.setbacks, task.losses)
    _take(task, step, reason=reason, avoid=attempt.worker)


def _take(task: Task, step: planner.Next, *, reason: str, avoid: str) -> None:
    failed = step.state == _T.FAILED
    event = kinds.TaskFailed(
        subject=f"job:{task.job_id}", job=task.job.name, step=task.step.name, number=task.number, reason=reason
    )
    moves.move(
        task,
        to=step.state,
        event=event if failed else None,
        tries=step.tries,
        setbacks=step.setbacks,
        losses=step.losses,
        not_before=clock.now() + step.wait if step.wait and not failed else None,
        avoid=avoid,
        reason=reason,
        progress=0.0,
        status_text="",
    )
    if failed:
        look(task.job)


def _move_waiting(step: Step, *, to: states.TaskState, reason: str) -> None:
    for task in step.tasks.filter(state=_T.WAITING):
        moves.move(task, to=to, event=None, reason=reason)


def _first_reason(job: Job) -> str:
    failed = job.tasks.filter(state=_T.FAILED).select_related("step").order_by("state_at").first()
    return f"{failed.step.name}: {failed.reason}" if failed else "Some of its tasks were cancelled."


def _views(job: Job, steps: list[Step]) -> list[planner.StepView]:
    counts: dict[int, Counter[states.TaskState]] = defaultdict(Counter)
    rows = job.tasks.order_by().values_list("step_id", "state").annotate(Count("pk"))
    for step_id, state, number in rows:
        counts[step_id][_T(state)] = number
    return [
        planner.StepView(step.name, tuple(step.depends), step.total, step.laid_out, counts[step.pk]) for step in steps
    ]
