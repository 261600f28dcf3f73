"""Jobs and what becomes of them: columns and constraints."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from nephos.core.models import Stateful
from nephos.farm import states
from nephos.lib import clock, ids


class Job(Stateful):
    """A template with its parameters, on its way through the farm."""

    TABLE = states.JOB

    id = models.CharField(primary_key=True, max_length=20, default=ids.new, editable=False)
    name = models.CharField(max_length=200)
    key = models.CharField(max_length=200, unique=True, null=True)  # noqa: DJ001 - NULLs are distinct, empty strings are not
    template = models.TextField()  # word for word as it was submitted
    parameters = models.JSONField(default=dict)
    priority = models.IntegerField(default=50)
    subject = models.CharField(max_length=128, blank=True, default="", db_index=True)  # what it is for: `asset:12`
    publish_to = models.CharField(max_length=1000)
    max_tries = models.PositiveSmallIntegerField()
    reason = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(default=clock.now, db_index=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]


class Step(models.Model):
    """A step of a job; its tasks are laid out in portions, so that 100,000 frames are not 100,000 rows at once."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="steps")
    name = models.CharField(max_length=200)
    position = models.PositiveIntegerField()
    depends = models.JSONField(default=list)
    total = models.PositiveIntegerField()
    laid_out = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["job", "name"], name="step_once_in_a_job")]


class Task(Stateful):
    """One piece of work of a step."""

    TABLE = states.TASK

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="tasks")
    step = models.ForeignKey(Step, on_delete=models.CASCADE, related_name="tasks")
    number = models.PositiveIntegerField()
    parameters = models.JSONField(default=dict)
    tries = models.PositiveSmallIntegerField(default=0)  # failures that count
    setbacks = models.PositiveIntegerField(default=0)  # failures that do not: a missing program, a lost worker
    losses = models.PositiveSmallIntegerField(default=0)  # workers that vanished under it
    not_before = models.DateTimeField(null=True)
    avoid = models.CharField(max_length=120, blank=True, default="")  # the worker where it failed last
    reason = models.TextField(blank=True, default="")
    progress = models.FloatField(default=0.0)
    status_text = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        ordering = ["step__position", "number"]
        constraints = [models.UniqueConstraint(fields=["step", "number"], name="task_once_in_a_step")]


class Worker(Stateful):
    """A machine, or part of one, that runs tasks."""

    TABLE = states.WORKER

    name = models.CharField(primary_key=True, max_length=120)
    host = models.CharField(max_length=253, blank=True, default="")
    engine = models.CharField(max_length=20, blank=True, default="")
    slots = models.PositiveIntegerField(default=0)
    enabled = models.BooleanField(default=True)
    seen_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["name"]


class Attempt(Stateful):
    """One try of a task on one worker; its id is the fencing token and the engine's key."""

    TABLE = states.ATTEMPT

    id = models.CharField(primary_key=True, max_length=20, default=ids.new, editable=False)
    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="attempts")
    worker = models.CharField(max_length=120)
    lease_until = models.DateTimeField()  # by the database's clock; while dispatched: to be claimed by then
    outputs = models.JSONField(default=list)
    published_at = models.DateTimeField(null=True)
    exit_code = models.IntegerField(null=True)
    reason = models.TextField(blank=True, default="")
    swept_at = models.DateTimeField(null=True)  # when its folder was removed
    created_at = models.DateTimeField(default=clock.now)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["created_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["task"],
                condition=Q(state__in=[str(state) for state in sorted(states.ATTEMPT_LIVE)]),
                name="one_live_attempt_per_task",
            )
        ]
        indexes = [models.Index(fields=["state", "lease_until"], name="attempt_leases")]
