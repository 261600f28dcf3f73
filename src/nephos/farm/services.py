"""Verbs that people and other parts of the station use on jobs and workers."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from django.db import IntegrityError, transaction

from nephos.core import bootstrap
from nephos.events import kinds, log, moves
from nephos.farm import advance, errors, planner, states, templates
from nephos.farm.models import Attempt, Job, Step, Task, Worker
from nephos.lib import clock, ids
from nephos.lib.errors import Invalid

_MOST_PRIORITY = 100
_MOST_KEY = 200


def submit(  # noqa: PLR0913 - the envelope of a job is this wide
    *,
    name: str,
    template: str,
    parameters: dict[str, Any],
    key: str | None = None,
    subject: str = "",
    publish_to: str | Path = "",
    priority: int = 0,
    max_tries: int | None = None,
    actor: str = "",
) -> Job:
    """Check a template with its parameters and queue it; a key that was used before gives the job it made.

    What the job makes is published below `processed/`, in `publish_to` or a folder of the job's own.
    Raises BadTemplate, BadParameters or Invalid; then nothing is stored.
    """
    if key is not None and (not 0 < len(key) <= _MOST_KEY or "\0" in key):
        raise Invalid(f"The key of a job has 1 to {_MOST_KEY} characters.")
    known = Job.objects.filter(key=key).first() if key is not None else None
    if known is not None:
        return known
    if not -_MOST_PRIORITY <= priority <= _MOST_PRIORITY:
        raise Invalid(f"The priority must lie between -{_MOST_PRIORITY} and {_MOST_PRIORITY}.")
    plan = templates.plan(template, parameters)
    job_id = ids.new()
    fresh = Job(
        id=job_id,
        name=" ".join((name or plan.name).replace("\0", " ").split())[:200] or "job",
        key=key,
        template=template,
        parameters=plan.parameters,
        priority=priority,
        subject=subject,
        publish_to=str(_publish_folder(publish_to, job_id)),
        max_tries=max_tries or bootstrap.loaded().settings.farm.max_tries,
        state=states.JOB.first,
    )
    try:
        with transaction.atomic():
            fresh.save(force_insert=True)
            _lay_out_steps(fresh, plan)
            log.emit(
                kinds.JobSubmitted(subject=subject_of(fresh), job=fresh.name, for_subject=fresh.subject), actor=actor
            )
    except IntegrityError:
        if key is None:
            raise
        return Job.objects.get(key=key)  # somebody submitted it at the same moment
    return fresh


def cancel(*, job: Job, actor: str = "") -> None:
    """End a job and everything it runs. Raises ForbiddenMove if it is over already."""
    with transaction.atomic():
        reason = f"Cancelled by {actor}." if actor else "Cancelled."
        advance.finish(job, to=states.JobState.CANCELLED, reason=reason, actor=actor)
        # Tasks first: who dispatches one at this moment holds its row, and its attempt is seen only after that.
        for task in Task.objects.filter(job=job).exclude(state__in=states.TASK_OVER).select_for_update():
            moves.move(task, to=states.TaskState.CANCELLED, event=None, reason=reason)
        live = Attempt.objects.filter(task__job=job, state__in=states.ATTEMPT_LIVE)
        for attempt in live.select_for_update():
            moves.move(attempt, to=states.AttemptState.CANCELLED, event=None, ended_at=clock.now(), reason=reason)


def retry(*, job: Job, actor: str = "") -> None:
    """Try what failed or was cancelled once more, with all its tries. Raises ForbiddenMove if nothing did."""
    again = (states.TaskState.FAILED, states.TaskState.CANCELLED)
    with transaction.atomic():
        moves.move(
            job,
            to=states.JobState.QUEUED,
            event=kinds.JobQueued(subject=subject_of(job), job=job.name),
            actor=actor,
            reason="",
            finished_at=None,
        )
        for task in Task.objects.filter(job=job, state__in=again):
            moves.move(
                task,
                to=states.TaskState.WAITING,
                event=None,
                tries=0,
                losses=0,
                setbacks=0,
                not_before=None,
                reason="",
                progress=0.0,
                status_text="",
            )
    advance.look(job)


def pause(*, job: Job, actor: str = "") -> None:
    """Begin nothing new of a job; what runs goes on. Raises ForbiddenMove."""
    moves.move(
        job,
        to=states.JobState.PAUSED,
        event=kinds.JobPaused(subject=subject_of(job), job=job.name),
        actor=actor,
    )


def resume(*, job: Job, actor: str = "") -> None:
    """Let a paused job go on. Raises NotNow."""
    if job.state != states.JobState.PAUSED:
        raise errors.NotPaused(f"Job {job.name} is {job.state}, not paused.")
    moves.move(
        job,
        to=states.JobState.QUEUED,
        event=kinds.JobQueued(subject=subject_of(job), job=job.name),
        actor=actor,
    )


def enable(*, worker: Worker, actor: str = "") -> None:
    """Let a worker have work."""
    _switch(worker, enabled=True, actor=actor)


def disable(*, worker: Worker, actor: str = "") -> None:
    """Give a worker no more work; what it runs goes on."""
    _switch(worker, enabled=False, actor=actor)


def subject_of(job: Job) -> str:
    """What events about a job carry."""
    return f"job:{job.pk}"


def _switch(worker: Worker, *, enabled: bool, actor: str) -> None:
    kind = kinds.WorkerEnabled if enabled else kinds.WorkerDisabled
    with transaction.atomic():
        if Worker.objects.filter(pk=worker.pk, enabled=not enabled).update(enabled=enabled):
            log.emit(kind(subject=f"worker:{worker.name}", worker=worker.name), actor=actor)
    worker.enabled = enabled


def _publish_folder(wanted: str | Path, job_id: str) -> Path:
    processed = bootstrap.loaded().home.processed
    if "\0" in str(wanted):
        raise Invalid("The folder to publish to has a zero byte in its name.")
    folder = Path(os.path.abspath(processed / (wanted or f"jobs/{job_id}")))
    if processed not in folder.parents:
        raise Invalid(f"The folder to publish to, {folder}, does not lie below {processed}.")
    return folder


def _lay_out_steps(job: Job, plan: templates.Plan) -> None:
    for position, planned in enumerate(plan.steps):
        step = Step.objects.create(
            job=job, name=planned.name, position=position, depends=list(planned.depends), total=planned.tasks
        )
        state = states.TaskState.WAITING if planned.depends else states.TaskState.READY
        advance.lay_out(job, step, state=state, count=planner.PORTION)
