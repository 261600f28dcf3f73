"""Jobs, tasks and workers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from nephos.events.kinds.base import Level


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSubmitted:
    name: ClassVar[str] = "job.submitted"
    level: ClassVar[Level] = Level.INFO
    sentence: ClassVar[str] = "Job {job} was submitted."
    subject: str
    job: str
    for_subject: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobStarted:
    name: ClassVar[str] = "job.started"
    level: ClassVar[Level] = Level.INFO
    sentence: ClassVar[str] = "Job {job} has begun."
    subject: str
    job: str
    for_subject: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPaused:
    name: ClassVar[str] = "job.paused"
    level: ClassVar[Level] = Level.INFO
    sentence: ClassVar[str] = "Job {job} is paused: what runs goes on, nothing new is begun."
    subject: str
    job: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobQueued:
    name: ClassVar[str] = "job.queued"
    level: ClassVar[Level] = Level.INFO
    sentence: ClassVar[str] = "Job {job} is queued again."
    subject: str
    job: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFinished:
    name: ClassVar[str] = "job.finished"
    level: ClassVar[Level] = Level.INFO
    sentence: ClassVar[str] = "Job {job} is {state}. {reason}"
    subject: str
    job: str
    state: str
    ok: bool
    key: str
    for_subject: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFailed:
    name: ClassVar[str] = "task.failed"
    level: ClassVar[Level] = Level.ERROR
    sentence: ClassVar[str] = "{step} {number} of job {job} failed for good: {reason}"
    subject: str
    job: str
    step: str
    number: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerJoined:
    name: ClassVar[str] = "worker.joined"
    level: ClassVar[Level] = Level.INFO
    sentence: ClassVar[str] = "Worker {worker} has joined, slots: {slots}."
    subject: str
    worker: str
    slots: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerLost:
    name: ClassVar[str] = "worker.lost"
    level: ClassVar[Level] = Level.WARNING
    sentence: ClassVar[str] = "Worker {worker} is no longer heard of."
    subject: str
    worker: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerEnabled:
    name: ClassVar[str] = "worker.enabled"
    level: ClassVar[Level] = Level.INFO
    sentence: ClassVar[str] = "Worker {worker} gets work."
    subject: str
    worker: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerDisabled:
    name: ClassVar[str] = "worker.disabled"
    level: ClassVar[Level] = Level.INFO
    sentence: ClassVar[str] = "Worker {worker} gets no more work."
    subject: str
    worker: str
