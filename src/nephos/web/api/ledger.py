"""The attempt ledger for workers on other machines."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Body, Router

from nephos.farm import local_ledger
from nephos.web.api import doors

router = Router(tags=["farm"])


@router.post("/ledger/{verb}", auth=doors.WORKER, response=dict[str, Any])
def call(request: HttpRequest, verb: str, body: Body[dict[str, Any]]) -> dict[str, Any]:
    """Claim, renew, log, progress, commit or fail an attempt."""
    return local_ledger.answer(verb, body)
