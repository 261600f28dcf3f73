"""What pages, API and commands read of problems and notices: frozen values, never rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from nephos.lib import clock
from nephos.lib import text as texts
from nephos.monitoring import errors
from nephos.monitoring.models import Notice, Problem
from nephos.monitoring.states import ProblemState


@dataclass(frozen=True, slots=True)
class ProblemView:
    """A problem: what, why, when it is tried again, what a person can do."""

    id: int
    key: str
    kind: str
    subject: str
    state: str
    weight: str
    sentence: str
    reason: str
    retry: str
    hint: str
    count: int
    opened_at: datetime
    seen_at: datetime
    closed_at: datetime | None
    muted_until: datetime | None

    @property
    def is_muted(self) -> bool:
        return self.muted_until is not None and self.muted_until > clock.now()


@dataclass(frozen=True, slots=True)
class NoticeView:
    """A message to one receiver, and how it went."""

    id: int
    channel: str
    receiver: str
    title: str
    state: str
    tries: int
    reason: str
    made_at: datetime
    due_at: datetime
    told_at: datetime | None


def problems(*, state: str = ProblemState.OPEN, kind: str = "", limit: int = 100) -> list[ProblemView]:
    """Newest first; an empty state means all."""
    rows = Problem.objects.all()
    rows = rows.filter(state=state) if state else rows
    rows = rows.filter(kind__startswith=texts.searched(kind)) if kind else rows
    return [problem_view(row) for row in rows[:limit]]


def open_count() -> int:
    """How many problems are open and not muted."""
    return Problem.objects.filter(state=ProblemState.OPEN).exclude(muted_until__gt=clock.now()).count()


def get_problem(ref: str) -> Problem:
    """A problem by id, or the newest of a key. Raises UnknownProblem."""
    row = None
    if ref.isascii() and ref.isdigit() and len(ref) < 18:
        row = Problem.objects.filter(pk=int(ref)).first()
    row = row or Problem.objects.filter(key=ref).order_by("-pk").first()
    if row is None:
        raise errors.UnknownProblem(f"There is no problem {ref[:80]!r}.", hint="`nephos problem list` shows them.")
    return row


def problem_view(row: Problem) -> ProblemView:
    """The value of one row."""
    return ProblemView(
        id=row.pk,
        key=row.key,
        kind=row.kind,
        subject=row.subject,
        state=row.state,
        weight=row.weight,
        sentence=row.sentence,
        reason=row.reason,
        retry=row.retry,
        hint=row.hint,
        count=row.count,
        opened_at=row.opened_at,
        seen_at=row.seen_at,
        closed_at=row.closed_at,
        muted_until=row.muted_until,
    )


def notices(*, limit: int = 50) -> list[NoticeView]:
    """What people were told or are to be told, newest first."""
    return [_notice_view(row) for row in Notice.objects.order_by("-id")[:limit]]


def _notice_view(row: Notice) -> NoticeView:
    state = "told" if row.told_at else "refused" if row.refused_at else "waiting"
    return NoticeView(
        id=row.pk,
        channel=row.channel,
        receiver=row.receiver,
        title=row.title,
        state=state,
        tries=row.tries,
        reason=row.reason,
        made_at=row.made_at,
        due_at=row.due_at,
        told_at=row.told_at,
    )
