"""Channels: named sources that can be received."""

from __future__ import annotations

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Field, Router, Schema
from ninja.responses import Status

from nephos.library import queries, services
from nephos.recording.sources import address
from nephos.web import examine
from nephos.web.api import doors

router = Router(tags=["channels"])


class ChannelIn(Schema, extra="forbid"):
    """A new channel."""

    name: str
    address: str
    country: str = ""
    language: str = ""
    zone: str = ""
    probe: Annotated[bool, Field(description="listen to it at once, and keep what was found")] = False


class ChannelChange(Schema, extra="forbid"):
    """What is to be different."""

    name: str | None = None
    address: str | None = None
    country: str | None = None
    language: str | None = None
    zone: str | None = None
    buffer_seconds: int | None = Field(None, description="keep so much of what aired, to record it afterwards")


class CheckIn(Schema, extra="forbid"):
    """How long to listen."""

    seconds: Annotated[float, Field(ge=0.5, le=30)] = 3


@router.get("/channels", auth=doors.READ, response=list[queries.ChannelView])
def list_(request: HttpRequest) -> list[queries.ChannelView]:
    """All channels by name."""
    return queries.channels()


@router.post("/channels", auth=doors.OPERATE, response={201: queries.ChannelView})
def add(request: HttpRequest, body: ChannelIn) -> Status[queries.ChannelView]:
    """Add a channel; one that cannot be heard now is added, too."""
    fields = {**body.dict(exclude={"probe"}), "address": address.parse(body.address).url}
    made = services.add_channel(**fields, actor=doors.actor(request))
    if body.probe:
        examine.channel(made, seconds=CheckIn().seconds)
        made.refresh_from_db()
    return Status(201, queries.channel_view(made))


@router.get("/channels/{ref}", auth=doors.READ, response=queries.ChannelView)
def show(request: HttpRequest, ref: str) -> queries.ChannelView:
    """One channel by id, name, slug or unambiguous start of its name."""
    return queries.channel_view(queries.get_channel(ref))


@router.patch("/channels/{ref}", auth=doors.OPERATE, response=queries.ChannelView)
def edit(request: HttpRequest, ref: str, body: ChannelChange) -> queries.ChannelView:
    """Change a channel."""
    changes: dict[str, Any] = body.dict(exclude_none=True)
    if body.address is not None:
        changes["address"] = address.parse(body.address).url
    channel = queries.get_channel(ref)
    return queries.channel_view(services.change_channel(channel=channel, actor=doors.actor(request), **changes))


@router.delete("/channels/{ref}", auth=doors.OPERATE, response={204: None})
def remove(request: HttpRequest, ref: str) -> Status[None]:
    """Remove a channel; its recordings stay."""
    services.remove_channel(channel=queries.get_channel(ref), actor=doors.actor(request))
    return Status(204, None)


@router.post("/channels/{ref}/check", auth=doors.OPERATE, response=examine.CheckView)
def check(request: HttpRequest, ref: str, body: CheckIn | None = None) -> examine.CheckView:
    """Listen to a channel for a moment, layer by layer; what was found is kept."""
    return examine.channel(queries.get_channel(ref), seconds=(body or CheckIn()).seconds)
