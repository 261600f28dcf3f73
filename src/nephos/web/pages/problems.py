"""Problems: what, why, when it is tried again, what to do; and what is over."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST, require_safe

from nephos.lib import clock
from nephos.monitoring import queries, services
from nephos.monitoring.states import ProblemState
from nephos.web import rendering

PATH = "/problems"
_PAST = 30
_MUTE = timedelta(days=1)


def _open(_request: HttpRequest) -> Mapping[str, Any]:
    return {"problems": queries.problems(limit=200)}


def _over(_request: HttpRequest) -> Mapping[str, Any]:
    return {"problems": queries.problems(state=ProblemState.CLOSED, limit=_PAST)}


PARTS = {
    "open": rendering.Part("Open", "web/problems/open.html", "problem", _open),
    "over": rendering.Part("Over", "web/problems/over.html", "problem", _over),
}


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """The whole page."""
    return rendering.page(request, "web/problems/page.html", parts=rendering.parts(request, PARTS, base=PATH))


@require_safe
def part(request: HttpRequest, name: str) -> HttpResponse:
    """A part of the page."""
    return rendering.part(request, PARTS, name)


@require_POST
@rendering.explained
def mute(request: HttpRequest, problem_id: int) -> HttpResponse:
    """Tell nobody of a problem for a day."""
    actor = rendering.actor(request)
    problem = queries.get_problem(str(problem_id))
    services.mute(problem=problem, until=clock.now() + _MUTE, actor=actor)
    return rendering.done(
        request, rendering.back(request, PATH), f"Nobody is told of this for a day: {problem.sentence}"
    )
