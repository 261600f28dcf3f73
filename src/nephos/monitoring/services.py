"""Problems open and close here; safe to repeat: one alert when it begins, one notice when it is over."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet

from nephos.core import errors as core_errors
from nephos.events import kinds, log, moves
from nephos.lib import clock, text
from nephos.monitoring.models import Problem
from nephos.monitoring.states import ProblemState, Weight

# A check that finds the same again and again does not write a row each time.
_SEEN_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a check found wrong. The key is the same for as long as it is the same problem."""

    key: str
    kind: str
    subject: str
    sentence: str
    reason: str = ""
    retry: str = ""
    hint: str = ""
    weight: Weight = Weight.ERROR


def report(finding: Finding) -> bool:
    """Open a problem, or see that it is still there; True if it is new."""
    finding = _storable(finding)
    found = _open(finding.key)
    if found is None:
        return _begin(finding)
    _see(found, finding)
    return False


def note(finding: Finding) -> bool:
    """As `report`, for what happens rather than lasts: each time counts."""
    if report(finding):
        return True
    _open_rows(finding.key).update(count=F("count") + 1, seen_at=clock.now())
    return False


def clear(key: str) -> bool:
    """The problem is gone; False if there was none."""
    found = _open(key)
    return found is not None and _close(found)


def clear_others(kind: str, *, keep: Iterable[str] = ()) -> int:
    """All open problems of a kind are gone, except those with these keys; how many were closed."""
    gone = Problem.objects.filter(kind=kind, state=ProblemState.OPEN).exclude(key__in=list(keep))
    return sum(_close(row) for row in gone)


def open_keys(kind: str) -> dict[str, datetime]:
    """Keys of the open problems whose kind begins so, and since when."""
    rows = Problem.objects.filter(kind__startswith=kind, state=ProblemState.OPEN)
    return dict(rows.values_list("key", "opened_at"))


def mute(*, problem: Problem, until: datetime, actor: str = "") -> None:
    """Tell nobody of this problem for a while, also if it comes back meanwhile."""
    with transaction.atomic():
        Problem.objects.filter(pk=problem.pk).update(muted_until=until)
        event = kinds.ProblemMuted(
            subject=_subject(problem), key=problem.key, until=clock.stamp(until), what=problem.sentence
        )
        log.emit(event, actor=actor)
    problem.muted_until = until


def is_muted(key: str, *, now: datetime) -> bool:
    """Whether nobody wants to hear of it now."""
    return Problem.objects.filter(key=key, muted_until__gt=now).exists()


def _storable(finding: Finding) -> Finding:
    """Without NUL, which PostgreSQL keeps in no text: reasons come from programs and networks."""
    texts = {name: getattr(finding, name) for name in ("key", "subject", "sentence", "reason", "retry", "hint")}
    clean = {name: value.replace("\x00", "") for name, value in texts.items() if "\x00" in value}
    return dataclasses.replace(finding, **clean) if clean else finding


def _open_rows(key: str) -> QuerySet[Problem]:
    return Problem.objects.filter(key=key, state=ProblemState.OPEN)


def _open(key: str) -> Problem | None:
    return _open_rows(key).first()


def _subject(problem: Problem) -> str:
    return f"problem:{problem.pk}"


def _begin(finding: Finding) -> bool:
    try:
        with transaction.atomic():
            row = Problem.objects.create(
                state=ProblemState.OPEN,
                key=finding.key,
                kind=finding.kind,
                subject=finding.subject,
                weight=finding.weight,
                sentence=finding.sentence,
                reason=finding.reason,
                retry=finding.retry,
                hint=finding.hint,
            )
            log.emit(
                kinds.ProblemOpened(
                    subject=_subject(row),
                    key=row.key,
                    kind=row.kind,
                    about=row.subject,
                    weight=str(finding.weight),
                    what=row.sentence,
                    reason=row.reason,
                    retry=row.retry,
                    hint=row.hint,
                )
            )
    except IntegrityError:
        return False  # another thread was quicker: it is open, which is what we want
    return True


def _see(row: Problem, finding: Finding) -> None:
    now = clock.now()
    fresh = {
        "sentence": finding.sentence,
        "reason": finding.reason,
        "retry": finding.retry,
        "hint": finding.hint,
        "weight": str(finding.weight),
    }
    if now - row.seen_at < _SEEN_EVERY and all(getattr(row, column) == value for column, value in fresh.items()):
        return
    _open_rows(row.key).update(seen_at=now, **fresh)


def _close(row: Problem) -> bool:
    now = clock.now()
    event = kinds.ProblemClosed(
        subject=_subject(row),
        key=row.key,
        kind=row.kind,
        about=row.subject,
        what=row.sentence,
        opened_at=clock.stamp(row.opened_at),
        lasted=text.duration(
            max(timedelta(seconds=1), timedelta(seconds=round((now - row.opened_at).total_seconds())))
        ),
    )
    try:
        moves.move(row, to=ProblemState.CLOSED, event=event, closed_at=now)
    except core_errors.StaleState:
        return False
    return True
