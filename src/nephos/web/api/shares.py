"""Shares: people and the filters that say what they get."""

from __future__ import annotations

from django.http import HttpRequest
from ninja import Router, Schema
from ninja.responses import Status

from nephos.library import queries, services
from nephos.web.api import doors

router = Router(tags=["shares"])


class ShareIn(Schema, extra="forbid"):
    """A person; a filter that is empty lets everything pass."""

    email: str
    channel: str = ""
    country: str = ""
    language: str = ""
    zone: str = ""
    tags: list[str] = []


@router.get("/shares", auth=doors.READ, response=list[queries.ShareView])
def list_(request: HttpRequest) -> list[queries.ShareView]:
    """All shares by e-mail."""
    return queries.shares()


@router.post("/shares", auth=doors.OPERATE, response={201: queries.ShareView})
def add(request: HttpRequest, body: ShareIn) -> Status[queries.ShareView]:
    """Add a person."""
    made = services.add_share(
        email=body.email,
        channel=queries.get_channel(body.channel) if body.channel else None,
        tags=body.tags,
        actor=doors.actor(request),
        country=body.country,
        language=body.language,
        zone=body.zone,
    )
    return Status(201, queries.share_view(made))


@router.delete("/shares/{ref}", auth=doors.OPERATE, response={204: None})
def remove(request: HttpRequest, ref: str) -> Status[None]:
    """Remove a share by id or e-mail."""
    services.remove_share(share=queries.get_share(ref), actor=doors.actor(request))
    return Status(204, None)
