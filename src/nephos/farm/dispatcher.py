"""The loops of the `farm` role: hand out, take back, publish, sweep."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, connections, transaction
from django.db.models import Count, Q

from nephos.config.load import Loaded
from nephos.core import claims
from nephos.core import errors as core_errors
from nephos.core import loops as core_loops
from nephos.events import kinds, log, moves
from nephos.farm import advance, planner, publish, states
from nephos.farm.engines import base, registry
from nephos.farm.local_ledger import LocalLedger
from nephos.farm.models import Attempt, Job, Task, Worker
from nephos.lib import clock, ids

logger = logging.getLogger(__name__)

_A, _T, _J = states.AttemptState, states.TaskState, states.JobState
_CLAIM_WITHIN = timedelta(seconds=60)  # a dispatched attempt that nobody claims by then is lost
_KNOWN_AFTER = timedelta(seconds=5)  # between the row and the engine's list lies a moment
_WORKER_LATE = timedelta(seconds=30)
_FOLDER_KEPT = timedelta(minutes=10)
_LOOK_AHEAD = 200
_LOOK_SECONDS = 2.0
_REST = timedelta(seconds=2)  # while nothing is ready, running or waiting for its time


class Dispatch:
    """Gives ready tasks to free slots."""

    name = "dispatch"
    idle = timedelta(seconds=0.2)

    def __init__(self, engine: base.Engine, kind: str) -> None:
        self.rest = self.idle
        self._engine = engine
        self._kind = kind
        self._started = False
        self._seen: set[str] = set()
        self._seen_at = 0.0

    def step(self) -> bool:
        """One round. The first starts the engine, which may fail and is then tried again."""
        if not self._started:
            for worker in self._engine.start():
                take_back_from(worker)
            self._started = True
        slots = self._engine.free_slots()
        if set(slots) != self._seen or clock.monotonic() - self._seen_at > 5:
            note_workers(slots, kind=self._kind)
            self._seen, self._seen_at = set(slots), clock.monotonic()
        given = 0
        ready = _ready_tasks()
        # A slot that comes free and a pause that is over ring no bell; who waits for nothing looks after workers only.
        self.rest = self.idle if ready or _paused() else _REST
        for task_id, worker in planner.choose(ready, _room(slots) if ready else {}):
            given += self._give(task_id, worker)
        return given > 0

    def close(self) -> None:
        """The role ends."""
        self._engine.stop()

    def _give(self, task_id: int, worker: str) -> bool:
        attempt = _new_attempt(task_id, worker)
        if attempt is None:
            return False
        self._engine.submit(attempt, worker=worker)
        return True


class Expire:
    """Takes back attempts that nobody renews or knows, and moves jobs on."""

    name = "expire"
    idle = timedelta(seconds=0.5)

    def __init__(self, engine: base.Engine) -> None:
        self.rest = self.idle
        self._engine = engine
        self._looked_at = -_LOOK_SECONDS

    def step(self) -> bool:
        """One round."""
        are_live = Attempt.objects.filter(state__in=states.ATTEMPT_LIVE).exists()
        self.rest = self.idle if are_live else _REST
        taken = self._take_back() if are_live else 0
        # Whoever moves a task looks at its job; this is the net below, and lays large steps out further.
        if clock.monotonic() - self._looked_at > _LOOK_SECONDS:
            taken += advance.look_at_all()
            self._looked_at = clock.monotonic()
        return taken > 0

    def _take_back(self) -> int:
        now = claims.database_now(Attempt.objects.all())
        over = Q(state__in=states.ATTEMPT_LIVE, lease_until__lt=now)
        unknown = Q(state=_A.DISPATCHED, created_at__lt=clock.now() - _KNOWN_AFTER)
        known = self._engine.known()
        taken = 0
        for attempt in Attempt.objects.filter(over | unknown).select_related("task__job", "task__step"):
            if attempt.lease_until < now or attempt.pk not in known:
                taken += take_back(attempt)
        return taken


class Publish:
    """Moves committed outputs to their place; at start, what was committed before a crash."""

    name = "publish"
    idle = timedelta(seconds=0.2)
    rest = timedelta(seconds=5)

    def step(self) -> bool:
        """One round. An attempt that cannot be published does not stop the others. Raises OSError at the end."""
        trouble: OSError | None = None
        for attempt in publish.waiting():
            try:
                publish.publish(attempt)
            except OSError as error:
                trouble = error
                Task.objects.filter(pk=attempt.task_id).update(status_text=f"Waits to be published: {error.strerror}")
        if trouble is not None:
            raise trouble
        return False


class Sweep:
    """Removes the folders of attempts that are over, and notices workers that went away."""

    name = "sweep"
    idle = timedelta(seconds=15)

    def __init__(self, loaded: Loaded) -> None:
        self._attempts = loaded.home.attempts

    def step(self) -> bool:
        """One round."""
        ended = Attempt.objects.filter(ended_at__lt=clock.now() - _FOLDER_KEPT, swept_at=None)
        for attempt in ended.exclude(state=_A.DONE, published_at=None, task__state=_T.RUNNING)[:100]:
            shutil.rmtree(self._attempts / attempt.pk, ignore_errors=True)
            Attempt.objects.filter(pk=attempt.pk).update(swept_at=clock.now())
        for worker in Worker.objects.filter(state=states.WorkerState.ONLINE, seen_at__lt=clock.now() - _WORKER_LATE):
            event = kinds.WorkerLost(subject=f"worker:{worker.name}", worker=worker.name)
            moves.move(worker, to=states.WorkerState.LOST, event=event)
        return False


def loops(loaded: Loaded) -> list[core_loops.Loop]:
    """What the `farm` role runs."""
    engine = registry.make(loaded, station=LocalLedger(), after=connections.close_all)
    return [Dispatch(engine, loaded.settings.farm.engine), Expire(engine), Publish(), Sweep(loaded)]


def take_back_from(worker: str) -> None:
    """All attempts of a worker are known to be dead: their tasks need not wait for the leases to end."""
    rows = Attempt.objects.filter(worker=worker, state__in=states.ATTEMPT_LIVE)
    for attempt in rows.select_related("task__job", "task__step"):
        take_back(attempt)


def take_back(attempt: Attempt) -> bool:
    """Call an attempt lost and have its task run again."""
    began = attempt.state == _A.RUNNING
    reason = f"Nothing was heard from worker {attempt.worker} any more."
    try:
        with transaction.atomic():
            # The lease is part of the condition: a renewal that came in this moment saves the attempt.
            still = Attempt.objects.select_for_update().filter(pk=attempt.pk, lease_until=attempt.lease_until)
            if still.first() is None:
                return False
            moves.move(attempt, to=_A.LOST, event=None, reason=reason, ended_at=clock.now())
            advance.task_lost(attempt, reason=reason, counts=began)
    except core_errors.StaleState:
        return False
    logger.warning("Attempt lost", extra={"attempt": attempt.pk, "worker": attempt.worker})
    return True


def note_workers(slots: Mapping[str, base.Slots], *, kind: str) -> None:
    """Keep the inventory of workers."""
    for name, seen in slots.items():
        facts: dict[str, Any] = {"host": seen.host, "slots": seen.total, "engine": kind, "seen_at": clock.now()}
        event = kinds.WorkerJoined(subject=f"worker:{name}", worker=name, slots=seen.total)
        worker = Worker.objects.filter(pk=name).first()
        if worker is None:
            with transaction.atomic():
                Worker.objects.create(name=name, state=states.WORKER.first, **facts)
                log.emit(event)
        elif worker.state == states.WorkerState.LOST:
            moves.move(worker, to=states.WorkerState.ONLINE, event=event, **facts)
        else:
            Worker.objects.filter(pk=name).update(**facts)


def _ready_tasks() -> list[planner.Ready]:
    rows = Task.objects.filter(state=_T.READY, job__state__in=(_J.QUEUED, _J.RUNNING))
    rows = rows.filter(Q(not_before=None) | Q(not_before__lte=clock.now()))
    rows = rows.order_by("-job__priority", "job__created_at", "step__position", "number")
    return [planner.Ready(task=row[0], avoid=row[1]) for row in rows.values_list("pk", "avoid")[:_LOOK_AHEAD]]


def _paused() -> bool:
    rows = Task.objects.filter(state=_T.READY, job__state__in=(_J.QUEUED, _J.RUNNING))
    return rows.filter(not_before__gt=clock.now()).exists()


def _room(slots: Mapping[str, base.Slots]) -> dict[str, int]:
    """Free slots by the engine's word and by ours: an attempt that the engine forgot may still hold its slot."""
    disabled = set(Worker.objects.filter(enabled=False).values_list("name", flat=True))
    live = dict(
        Attempt.objects.filter(state__in=states.ATTEMPT_LIVE).values_list("worker").annotate(Count("pk")).order_by()
    )
    return {
        name: min(seen.free, seen.total - live.get(name, 0)) for name, seen in slots.items() if name not in disabled
    }


def _new_attempt(task_id: int, worker: str) -> str | None:
    attempt = ids.new()
    try:
        with transaction.atomic():
            task = Task.objects.select_related("job").get(pk=task_id)
            moves.move(task, to=_T.RUNNING, event=None, not_before=None, progress=0.0, status_text="")
            _begin(task.job)
            now = claims.database_now(Attempt.objects.all())
            Attempt.objects.create(
                id=attempt, task=task, worker=worker, state=states.ATTEMPT.first, lease_until=now + _CLAIM_WITHIN
            )
    except (core_errors.StaleState, core_errors.ForbiddenMove, IntegrityError):
        logger.info("The task was taken or cancelled a moment ago", extra={"task": task_id})
        return None
    return attempt


def _begin(job: Job) -> None:
    if job.state == _J.QUEUED:
        event = kinds.JobStarted(subject=f"job:{job.pk}", job=job.name, for_subject=job.subject)
        moves.move(job, to=_J.RUNNING, event=event)
    elif job.state != _J.RUNNING:
        raise core_errors.StaleState
