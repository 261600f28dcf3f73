"""The lives of a job, a task and an attempt; pure."""

from __future__ import annotations

from enum import StrEnum

from nephos.core.states import Table


class JobState(StrEnum):
    """What a person sees of a job."""

    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class TaskState(StrEnum):
    """A task stays `running` between its commit and the publication of what it made."""

    WAITING = "waiting"
    READY = "ready"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class AttemptState(StrEnum):
    """One try of a task on one worker. `lost`: nobody heard of it until its lease was over."""

    DISPATCHED = "dispatched"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    LOST = "lost"
    CANCELLED = "cancelled"


class WorkerState(StrEnum):
    """Whether a worker is heard of; whether it gets work is another question (its `enabled` flag)."""

    ONLINE = "online"
    LOST = "lost"


J, T, A = JobState, TaskState, AttemptState

JOB = Table(
    first=J.QUEUED,
    moves={
        J.QUEUED: frozenset({J.RUNNING, J.PAUSED, J.DONE, J.FAILED, J.CANCELLED}),
        J.RUNNING: frozenset({J.PAUSED, J.DONE, J.FAILED, J.CANCELLED}),
        J.PAUSED: frozenset({J.QUEUED, J.DONE, J.FAILED, J.CANCELLED}),
        J.FAILED: frozenset({J.QUEUED}),
        J.CANCELLED: frozenset({J.QUEUED}),
    },
)

TASK = Table(
    first=T.WAITING,
    moves={
        T.WAITING: frozenset({T.READY, T.CANCELLED}),
        T.READY: frozenset({T.RUNNING, T.CANCELLED}),
        T.RUNNING: frozenset({T.READY, T.DONE, T.FAILED, T.CANCELLED}),
        T.FAILED: frozenset({T.WAITING}),
        T.CANCELLED: frozenset({T.WAITING}),
    },
)

ATTEMPT = Table(
    first=A.DISPATCHED,
    moves={
        A.DISPATCHED: frozenset({A.RUNNING, A.LOST, A.CANCELLED}),
        A.RUNNING: frozenset({A.DONE, A.FAILED, A.LOST, A.CANCELLED}),
    },
)

WORKER = Table(
    first=WorkerState.ONLINE,
    moves={
        WorkerState.ONLINE: frozenset({WorkerState.LOST}),
        WorkerState.LOST: frozenset({WorkerState.ONLINE}),
    },
)

JOB_OVER = frozenset({J.DONE, J.FAILED, J.CANCELLED})
TASK_OVER = frozenset({T.DONE, T.FAILED, T.CANCELLED})
ATTEMPT_LIVE = frozenset({A.DISPATCHED, A.RUNNING})
