"""Telling people: tried at once."""

from __future__ import annotations

from typing import Annotated

import msgspec
from django.http import HttpRequest
from ninja import Field, Router, Schema

from nephos.config import upkeep
from nephos.lib import errors
from nephos.monitoring import trial
from nephos.web import current
from nephos.web.api import doors

router = Router(tags=["mail"])


class TrialIn(Schema, extra="forbid"):
    """To whom; nothing: to everybody that the settings name."""

    receiver: Annotated[str, Field(max_length=254)] = ""
    webhook: Annotated[str, Field(max_length=63, description="a webhook instead of the mail server")] = ""


@router.post("/mail/test", auth=doors.ADMIN, response=list[trial.Trial])
def try_(request: HttpRequest, body: TrialIn | None = None) -> list[trial.Trial]:
    """Send a trial message now and say how it went."""
    given, settings = body or TrialIn(), current.loaded().settings
    if given.webhook:
        return trial.webhook(settings, given.webhook)
    return trial.mail(settings, receiver=_address(given.receiver) if given.receiver else "")


def _address(text: str) -> str:
    try:
        return msgspec.convert(text, upkeep.Address)
    except msgspec.ValidationError:
        raise errors.Invalid(f"{text[:80]!r} is no mail address.") from None
