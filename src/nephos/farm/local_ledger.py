"""The ledger itself: conditional updates of attempt rows. Workers elsewhere reach it through `answer`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.db import transaction

from nephos.core import bootstrap, claims
from nephos.core import errors as core_errors
from nephos.events import moves
from nephos.farm import advance, errors, ledger, spool, states
from nephos.farm.models import Attempt, Task
from nephos.lib.errors import Invalid

_A = states.AttemptState
_MOST_LINES = 2000


class LocalLedger:
    """`ledger.Ledger` for workers in a process that has the database."""

    def claim(self, attempt: str, *, worker: str) -> ledger.Assignment | None:
        """See `ledger.Ledger`."""
        with transaction.atomic():
            row = Attempt.objects.select_related("task__job", "task__step").filter(pk=attempt).first()
            if row is None or row.state != _A.DISPATCHED or row.worker != worker:
                return None
            now = claims.database_now(Attempt.objects.all())
            if row.lease_until <= now:
                return None
            try:
                moves.move(row, to=_A.RUNNING, event=None, lease_until=now + _lease(), started_at=now)
            except core_errors.StaleState:
                return None
        return ledger.Assignment(
            attempt=row.pk,
            job=row.task.job_id,
            name=row.task.job.name,
            step=row.task.step.name,
            number=row.task.number,
            template=row.task.job.template,
            parameters=row.task.job.parameters,
            folder=str(bootstrap.loaded().home.attempts / row.pk),
            lease_seconds=_lease().total_seconds(),
        )

    def renew(self, attempt: str) -> bool:
        """See `ledger.Ledger`. A lease that is over stays over: the guard has killed the work."""
        now = claims.database_now(Attempt.objects.all())
        alive = Attempt.objects.filter(pk=attempt, state=_A.RUNNING, lease_until__gt=now)
        return claims.take(alive, lease_until=now + _lease())

    def log(self, attempt: str, lines: Sequence[str]) -> None:
        """See `ledger.Ledger`. Lines of an attempt that is over are dropped."""
        if Attempt.objects.filter(pk=attempt, state=_A.RUNNING).exists():
            spool.append(log_folder(), attempt, lines[-_MOST_LINES:])

    def progress(self, attempt: str, *, fraction: float, text: str) -> None:
        """See `ledger.Ledger`."""
        Task.objects.filter(attempts__pk=attempt, attempts__state=_A.RUNNING).update(
            progress=min(1.0, max(0.0, fraction)), status_text=text[:500]
        )

    def commit(self, attempt: str, outputs: Sequence[ledger.Output]) -> bool:
        """See `ledger.Ledger`. The task is done only when the outputs are published."""
        now = claims.database_now(Attempt.objects.all())
        row = Attempt.objects.filter(pk=attempt).first()
        if row is None or row.state != _A.RUNNING:
            return row is not None and row.state == _A.DONE
        try:
            moves.move(row, to=_A.DONE, event=None, outputs=[o.plain() for o in outputs], exit_code=0, ended_at=now)
        except core_errors.StaleState:
            return False
        return True

    def fail(self, attempt: str, *, reason: str, exit_code: int | None, retry: bool) -> bool:
        """See `ledger.Ledger`."""
        now = claims.database_now(Attempt.objects.all())
        reason = reason[:2000] or "It failed without a word."
        try:
            with transaction.atomic():
                row = Attempt.objects.select_related("task__job", "task__step").filter(pk=attempt).first()
                if row is None or row.state != _A.RUNNING:
                    return row is not None and row.state == _A.FAILED
                moves.move(row, to=_A.FAILED, event=None, reason=reason, exit_code=exit_code, ended_at=now)
                advance.task_failed(row, reason=reason, counts=not retry)
        except core_errors.StaleState:
            return False
        return True


def log_folder() -> Any:
    """Where attempts' output is kept."""
    return bootstrap.loaded().home.logs / "attempts"


def answer(verb: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """One call of a worker over HTTP: plain in, plain out. Raises Invalid."""
    if verb not in _VERBS:
        raise Invalid(f"The ledger has no verb {verb[:40]!r}.", hint=f"It has {', '.join(_VERBS)}.")
    try:
        return _VERBS[verb](LocalLedger(), str(body["attempt"]), body)
    except (KeyError, TypeError, ValueError) as error:
        raise Invalid(f"The call {verb} of the ledger lacks something: {error}.") from error
    except errors.BadOutputs as error:
        raise Invalid(error.message) from error


def _claim(book: LocalLedger, attempt: str, body: Mapping[str, Any]) -> dict[str, Any]:
    assignment = book.claim(attempt, worker=str(body["worker"]))
    return {"assignment": asdict(assignment) if assignment else None}


def _renew(book: LocalLedger, attempt: str, _body: Mapping[str, Any]) -> dict[str, Any]:
    return {"ok": book.renew(attempt)}


def _log(book: LocalLedger, attempt: str, body: Mapping[str, Any]) -> dict[str, Any]:
    book.log(attempt, [str(line) for line in body["lines"]])
    return {"ok": True}


def _progress(book: LocalLedger, attempt: str, body: Mapping[str, Any]) -> dict[str, Any]:
    book.progress(attempt, fraction=float(body["fraction"]), text=str(body.get("text", "")))
    return {"ok": True}


def _commit(book: LocalLedger, attempt: str, body: Mapping[str, Any]) -> dict[str, Any]:
    return {"ok": book.commit(attempt, [ledger.parse_output(entry) for entry in body["outputs"]])}


def _fail(book: LocalLedger, attempt: str, body: Mapping[str, Any]) -> dict[str, Any]:
    code = body.get("exit_code")
    return {
        "ok": book.fail(
            attempt,
            reason=str(body.get("reason", "")),
            exit_code=int(code) if code is not None else None,
            retry=bool(body.get("retry", False)),
        )
    }


_VERBS: Mapping[str, Callable[[LocalLedger, str, Mapping[str, Any]], dict[str, Any]]] = {
    "claim": _claim,
    "renew": _renew,
    "log": _log,
    "progress": _progress,
    "commit": _commit,
    "fail": _fail,
}


def _lease() -> timedelta:
    return timedelta(seconds=bootstrap.loaded().settings.farm.lease_seconds)
