"""What pages, API and commands show of the farm."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Prefetch, Q, Sum

from nephos.core import bootstrap
from nephos.farm import errors, spool, states
from nephos.farm.local_ledger import log_folder
from nephos.farm.models import Attempt, Job, Step, Task, Worker
from nephos.lib import clock
from nephos.lib import text as texts

_T, _J = states.TaskState, states.JobState
_LISTED = 500  # tasks of a step that a page shows one by one
_HEARD_WITHIN = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class JobView:
    """A job in a list."""

    id: str
    name: str
    state: str
    subject: str
    priority: int
    tasks_total: int
    tasks_done: int
    tasks_failed: int
    tasks_running: int
    progress: float
    reason: str
    created_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class AttemptView:
    """One try."""

    id: str
    worker: str
    state: str
    reason: str
    exit_code: int | None
    outputs: tuple[dict[str, Any], ...]
    started_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class TaskView:
    """A task with all its tries."""

    number: int
    state: str
    parameters: dict[str, Any]
    tries: int
    progress: float
    status_text: str
    reason: str
    not_before: datetime | None
    attempts: tuple[AttemptView, ...]


@dataclass(frozen=True, slots=True)
class StepView:
    """A step; of very large ones only the first tasks are listed, `states` counts all that are laid out."""

    name: str
    depends: tuple[str, ...]
    total: int
    states: dict[str, int]
    tasks: tuple[TaskView, ...]


@dataclass(frozen=True, slots=True)
class JobDetail:
    """A job with all that belongs to it."""

    job: JobView
    key: str
    parameters: dict[str, Any]
    publish_to: str
    max_tries: int
    why: str
    steps: tuple[StepView, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class WorkerView:
    """A worker."""

    name: str
    host: str
    engine: str
    state: str
    enabled: bool
    slots: int
    running: int
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class Made:
    """A published output of a job."""

    step: str
    number: int
    kind: str
    path: str  # absolute
    bytes: int
    sha256: str
    more: dict[str, Any]


def jobs(*, state: str = "", subject: str = "", limit: int = 100) -> list[JobView]:
    """Jobs, newest first."""
    rows = Job.objects.all()
    rows = rows.filter(state=state) if state else rows
    rows = rows.filter(subject=subject) if subject else rows
    return [_job_view(row) for row in _counted(rows)[:limit]]


def get_job(ref: str) -> Job:
    """The row of a job by its id, or by the beginning of it. Raises JobMissing."""
    found = list(Job.objects.filter(pk__startswith=texts.searched(ref).lower())[:2]) if ref else []
    if len(found) != 1:
        raise errors.JobMissing(f"There is no job {ref[:40]!r}." if not found else f"{ref!r} begins more than one job.")
    return found[0]


def job(ref: str) -> JobDetail:
    """One job with its steps, tasks and attempts. Raises JobMissing."""
    row = _counted(Job.objects.filter(pk=get_job(ref).pk)).get()
    listed = Task.objects.filter(number__lt=_LISTED).prefetch_related("attempts")
    steps = row.steps.prefetch_related(Prefetch("tasks", queryset=listed))
    counts: dict[int, dict[str, int]] = defaultdict(dict)
    for step_id, state, number in row.tasks.order_by().values_list("step_id", "state").annotate(Count("pk")):
        counts[step_id][state] = number
    return JobDetail(
        job=_job_view(row),
        key=row.key or "",
        parameters=row.parameters,
        publish_to=row.publish_to,
        max_tries=row.max_tries,
        why=why(row),
        steps=tuple(_step_view(step, counts[step.pk]) for step in steps),
    )


def made(ref: str) -> list[Made]:
    """What a job has published so far, in the order of its steps. Raises JobMissing."""
    row = get_job(ref)
    attempts = Attempt.objects.filter(task__job=row, task__state=_T.DONE, state=states.AttemptState.DONE)
    found = attempts.select_related("task__step").order_by("task__step__position", "task__number")
    return [_made(row, attempt, output) for attempt in found for output in attempt.outputs]


def job_log(ref: str, *, limit: int = 1000) -> list[str]:
    """The last lines that a job's attempts printed, each with its step before it. Raises JobMissing."""
    attempts = Attempt.objects.filter(task__job=get_job(ref)).select_related("task__step").order_by("created_at")
    lines: list[str] = []
    for attempt in attempts:
        task = attempt.task
        title = task.step.name if task.step.total == 1 else f"{task.step.name} {task.number}"
        lines += [f"{title}: {line}" for line in spool.read(log_folder(), attempt.pk, limit=limit)]
    return lines[-limit:]


def workers() -> list[WorkerView]:
    """All workers that were ever seen."""
    running = dict(
        Attempt.objects.filter(state__in=states.ATTEMPT_LIVE).values_list("worker").annotate(Count("pk")).order_by()
    )
    return [
        WorkerView(
            row.name, row.host, row.engine, row.state, row.enabled, row.slots, running.get(row.name, 0), row.seen_at
        )
        for row in Worker.objects.all()
    ]


def get_worker(name: str) -> Worker:
    """The row of a worker. Raises WorkerMissing."""
    row = Worker.objects.filter(pk=name).first()
    if row is None:
        raise errors.WorkerMissing(f"There is no worker {name[:40]!r}.")
    return row


def why(row: Job) -> str:
    """One sentence: why the job does not run, or what it is at."""
    if row.state in states.JOB_OVER:
        return f"It is {row.state}. {row.reason}".strip()
    if row.state == _J.PAUSED:
        return "It is paused; resume it to go on."
    running = list(row.tasks.filter(state=_T.RUNNING).select_related("step")[:3])
    if running:
        return f"It runs: {', '.join(dict.fromkeys(task.step.name for task in running))}."
    return _why_waiting(row)


def _why_waiting(row: Job) -> str:
    late = row.tasks.filter(state=_T.READY, not_before__gt=clock.now()).select_related("step").order_by("not_before")
    ready = row.tasks.filter(state=_T.READY).exclude(not_before__gt=clock.now())
    if not ready.exists():
        task = late.first()
        if task is None or task.not_before is None:
            return "Its next tasks are being made ready."
        pause = texts.duration(timedelta(seconds=max(1, round((task.not_before - clock.now()).total_seconds()))))
        return f"{task.step.name} is tried again in {pause}: {task.reason}"
    online = Worker.objects.filter(state=states.WorkerState.ONLINE, seen_at__gt=clock.now() - _HEARD_WITHIN)
    if not online.exists():
        return "No worker is online; the farm role may not be running."
    if not online.filter(enabled=True).exists():
        return "All workers are disabled; enable one."
    slots = online.filter(enabled=True).aggregate(all=Sum("slots"))["all"] or 0
    busy = Attempt.objects.filter(state__in=states.ATTEMPT_LIVE).count()
    if busy >= slots:
        return f"All slots are busy ({busy} of {slots}); it waits for its turn."
    return "It is about to begin."


def _counted(rows: Any) -> Any:
    def in_state(*wanted: states.TaskState) -> Count:
        return Count("tasks", filter=Q(tasks__state__in=wanted))

    return rows.prefetch_related("steps").annotate(
        n_done=in_state(_T.DONE),
        n_failed=in_state(_T.FAILED),
        n_running=in_state(_T.RUNNING),
        part=Sum("tasks__progress"),
    )


def _job_view(row: Any) -> JobView:
    total = sum(step.total for step in row.steps.all())
    return JobView(
        id=row.pk,
        name=row.name,
        state=row.state,
        subject=row.subject,
        priority=row.priority,
        tasks_total=total,
        tasks_done=row.n_done,
        tasks_failed=row.n_failed,
        tasks_running=row.n_running,
        progress=round((row.part or 0.0) / total, 4) if total else 0.0,
        reason=row.reason,
        created_at=row.created_at,
        finished_at=row.finished_at,
    )


def _step_view(step: Step, counts: dict[str, int]) -> StepView:
    tasks: Sequence[Task] = sorted(step.tasks.all(), key=lambda task: task.number)
    return StepView(
        name=step.name,
        depends=tuple(step.depends),
        total=step.total,
        states=counts,
        tasks=tuple(_task_view(task) for task in tasks),
    )


def _task_view(task: Task) -> TaskView:
    attempts = sorted(task.attempts.all(), key=lambda attempt: attempt.created_at)
    return TaskView(
        number=task.number,
        state=task.state,
        parameters=task.parameters,
        tries=task.tries,
        progress=task.progress,
        status_text=task.status_text,
        reason=task.reason,
        not_before=task.not_before,
        attempts=tuple(
            AttemptView(a.pk, a.worker, a.state, a.reason, a.exit_code, tuple(a.outputs), a.started_at, a.ended_at)
            for a in attempts
        ),
    )


def _made(row: Job, attempt: Attempt, output: dict[str, Any]) -> Made:
    named = ("kind", "path", "bytes", "sha256", "published")
    return Made(
        step=attempt.task.step.name,
        number=attempt.task.number,
        kind=output["kind"],
        path=str(bootstrap.loaded().home.processed / row.publish_to / output.get("published", output["path"])),
        bytes=output["bytes"],
        sha256=output["sha256"],
        more={key: value for key, value in output.items() if key not in named},
    )
