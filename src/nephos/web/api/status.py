"""How the station is."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema

from nephos.core import bootstrap
from nephos.maintenance import vitals
from nephos.web.api import doors

router = Router(tags=["station"])


class RoleOut(Schema):
    """One role: `running`, `late` (alive, but its heartbeat is old) or `stopped`."""

    role: str
    state: str
    pid: int | None
    started_at: str | None
    beat_at: str | None
    details: dict[str, Any]


class StatusOut(Schema):
    """The station and its roles."""

    station: str
    home: str
    running: bool
    pid: int | None
    address: str
    roles: list[RoleOut]


@router.get("/status", auth=doors.READ, response=StatusOut)
def show(request: HttpRequest) -> dict[str, Any]:
    """What is alive and what it is at."""
    return vitals.describe(bootstrap.loaded())
