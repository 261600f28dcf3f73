"""What retention would free."""

from __future__ import annotations

from django.http import HttpRequest
from ninja import Router

from nephos.maintenance import freeing, retention
from nephos.web import current
from nephos.web.api import doors

router = Router(tags=["retention"])


@router.get("/retention/plan", auth=doors.READ, response=list[retention.Verdict])
def plan(request: HttpRequest) -> list[retention.Verdict]:
    """Each delivered asset, newest first: whether it would go now, and why or why not. Changes nothing."""
    return freeing.plan(current.loaded())
