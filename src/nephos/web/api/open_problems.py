"""Problems that are open until they go away, and what people were told."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from django.http import HttpRequest
from ninja import Field, Query, Router, Schema

from nephos.lib import clock, errors
from nephos.monitoring import queries, services, states
from nephos.web.api import doors

router = Router(tags=["problems"])

Limit = Annotated[int, Query(ge=1, le=1000)]
_LONGEST_MUTE = 366 * 24 * 3600


class MuteIn(Schema, extra="forbid"):
    """For how long nobody is told."""

    seconds: Annotated[float, Field(ge=0, le=_LONGEST_MUTE, description="0: no longer mute")] = 24 * 3600


@router.get("/problems", auth=doors.READ, response=list[queries.ProblemView])
def list_(
    request: HttpRequest,
    state: Annotated[str, Query(description="open, closed, or empty for both")] = "open",
    kind: str = "",
    limit: Limit = 100,
) -> list[queries.ProblemView]:
    """Newest first."""
    if state and state not in set(states.ProblemState):
        raise errors.Invalid(f"{state[:40]!r} is no state of a problem.", hint="open, closed, or nothing for both.")
    return queries.problems(state=state, kind=kind, limit=limit)


@router.get("/problems/{ref}", auth=doors.READ, response=queries.ProblemView)
def show(request: HttpRequest, ref: str) -> queries.ProblemView:
    """One problem by id or key."""
    return queries.problem_view(queries.get_problem(ref))


@router.post("/problems/{ref}/mute", auth=doors.OPERATE, response=queries.ProblemView)
def mute(request: HttpRequest, ref: str, body: MuteIn | None = None) -> queries.ProblemView:
    """Tell nobody of it for a while, also if it comes back meanwhile."""
    problem = queries.get_problem(ref)
    until = clock.now() + timedelta(seconds=(body or MuteIn()).seconds)
    services.mute(problem=problem, until=until, actor=doors.actor(request))
    return queries.problem_view(problem)


@router.get("/notices", auth=doors.READ, response=list[queries.NoticeView])
def list_notices(request: HttpRequest, limit: Limit = 50) -> list[queries.NoticeView]:
    """What people were told or are to be told, newest first."""
    return queries.notices(limit=limit)
