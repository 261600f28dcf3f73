"""The checks that the keeper makes by itself, and one of them at once."""

from __future__ import annotations

from django.http import HttpRequest
from ninja import Router

from nephos.maintenance import catalogue
from nephos.web import current
from nephos.web.api import doors

router = Router(tags=["maintenance"])


@router.get("/maintenance", auth=doors.READ, response=list[catalogue.Check])
def list_(request: HttpRequest) -> list[catalogue.Check]:
    """What is looked at, how often, and when it last was."""
    return catalogue.checks(current.loaded())


@router.post("/maintenance/{check}/run", auth=doors.OPERATE, response=catalogue.Outcome)
def run(request: HttpRequest, check: str) -> catalogue.Outcome:
    """Let the keeper look now and wait for it; the answer holds the problems that are open after it."""
    return catalogue.run(check, current.loaded())
