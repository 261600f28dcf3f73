"""The log: what happened, to what, when."""

from __future__ import annotations

from typing import Annotated

from django.http import HttpRequest
from ninja import Query, Router

from nephos.events import log
from nephos.web.api import doors

router = Router(tags=["events"])

_BIGGEST = 2**63 - 1


@router.get("/events", auth=doors.READ, response=list[log.Entry])
def list_(
    request: HttpRequest,
    after: Annotated[int | None, Query(ge=0, le=_BIGGEST, description="Later than this id, oldest first.")] = None,
    subject: str = "",
    kind: str = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[log.Entry]:
    """The newest events first; with `after` those that came later, oldest first."""
    if after is not None:
        return log.read(after, limit=limit, subject=subject, kind=kind)
    return log.recent(limit=limit, subject=subject, kind=kind)
