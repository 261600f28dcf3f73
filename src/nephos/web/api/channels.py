"""Channels: named sources that can be received."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Field, Router, Schema
from ninja.responses import Status

from nephos.core import bootstrap
from nephos.library import queries, services, states
from nephos.recording.sources import address, probe
from nephos.web.api import doors

router = Router(tags=["channels"])


class ChannelIn(Schema, extra="forbid"):
    """A new channel."""

    name: str
    address: str
    country: str = ""
    language: str = ""
    zone: str = ""


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


@dataclass(frozen=True, slots=True)
class CheckView:
    """What was heard."""

    channel: str
    status: str
    reason: str
    protocol: str
    datagrams: int
    packets: int
    null_packets: int
    scrambled_packets: int
    continuity_errors: int
    bits_per_second: int
    took: timedelta


_REASONS = {
    probe.State.UP: "A transport stream comes.",
    probe.State.WEAK: "A transport stream comes, but very little of it.",
    probe.State.DOWN: "Nothing comes.",
    probe.State.NOT_TS: "Something comes, but it is no transport stream.",
}


@router.get("/channels", auth=doors.READ, response=list[queries.ChannelView])
def list_(request: HttpRequest) -> list[queries.ChannelView]:
    """All channels by name."""
    return queries.channels()


@router.post("/channels", auth=doors.OPERATE, response={201: queries.ChannelView})
def add(request: HttpRequest, body: ChannelIn) -> Status[queries.ChannelView]:
    """Add a channel."""
    fields = {**body.dict(), "address": address.parse(body.address).url}
    made = services.add_channel(**fields, actor=doors.actor(request))
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


@router.post("/channels/{ref}/check", auth=doors.OPERATE, response=CheckView)
def check(request: HttpRequest, ref: str, body: CheckIn | None = None) -> CheckView:
    """Listen to a channel for a moment; what was found is kept as its status."""
    channel = queries.get_channel(ref)
    heard = probe.probe(
        address.parse(channel.address),
        interface=bootstrap.loaded().settings.recording.interface,
        timeout=timedelta(seconds=(body or CheckIn()).seconds),
    )
    status = states.ChannelStatus.UP if heard.state is probe.State.UP else states.ChannelStatus.DOWN
    services.note_channel_status(channel=channel, status=status)
    return CheckView(
        channel=channel.name,
        status=status,
        reason=_REASONS[heard.state],
        protocol=heard.protocol,
        datagrams=heard.datagrams,
        packets=heard.packets,
        null_packets=heard.null_packets,
        scrambled_packets=heard.scrambled_packets,
        continuity_errors=heard.continuity_errors,
        bits_per_second=heard.bits_per_second,
        took=heard.took,
    )
