"""Bookings: planned and running airings; and recording at once."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from django.http import HttpRequest
from ninja import Field, Query, Router, Schema
from ninja.responses import Status

from nephos.library import queries as library
from nephos.recording import forecast, queries, services
from nephos.web.api import doors

router = Router(tags=["bookings"])


class RecordIn(Schema, extra="forbid"):
    """Record a channel: at once, or from a moment on."""

    channel: str
    duration_seconds: float
    title: str = ""
    starts_at: datetime | None = None
    start: str = Field("", description="20:00 in the channel's zone (the nearest one), or -30m")


class ExtendIn(Schema, extra="forbid"):
    """How much longer."""

    by_seconds: float


@router.get("/bookings", auth=doors.READ, response=list[queries.BookingView])
def list_(
    request: HttpRequest,
    state: str = "",
    channel: str = "",
    schedule: str = "",
    upcoming: bool = False,  # noqa: FBT001, FBT002 - a flag of the query
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[queries.BookingView]:
    """The latest first; with `upcoming` the open ones in the order they air."""
    return queries.bookings(
        state=state,
        upcoming=upcoming,
        schedule=queries.get_schedule(schedule).pk if schedule else None,
        channel=library.get_channel(channel).pk if channel else None,
        limit=limit,
    )


@router.get("/bookings/conflicts", auth=doors.READ, response=list[forecast.ConflictView])
def conflicts(request: HttpRequest) -> list[forecast.ConflictView]:
    """Where the network or the disk runs short in the next seven days."""
    return forecast.conflicts()


@router.get("/bookings/{id}", auth=doors.READ, response=queries.BookingView)
def show(request: HttpRequest, id: str) -> queries.BookingView:
    """One booking."""
    return queries.booking(id)


@router.post("/bookings/{id}/skip", auth=doors.OPERATE, response=queries.BookingView)
def skip(request: HttpRequest, id: str) -> queries.BookingView:
    """Leave out a planned airing."""
    made = services.skip(booking=queries.get_booking(id), actor=doors.actor(request))
    return queries.booking(made.pk)


@router.post("/bookings/{id}/stop", auth=doors.OPERATE, response=queries.BookingView)
def stop(request: HttpRequest, id: str) -> queries.BookingView:
    """End a recording now and keep what there is."""
    made = services.stop(booking=queries.get_booking(id), actor=doors.actor(request))
    return queries.booking(made.pk)


@router.post("/bookings/{id}/extend", auth=doors.OPERATE, response=queries.BookingView)
def extend(request: HttpRequest, id: str, body: ExtendIn) -> queries.BookingView:
    """Let it last longer."""
    made = services.extend(booking=queries.get_booking(id), by=body.by_seconds, actor=doors.actor(request))
    return queries.booking(made.pk)


@router.post("/record", auth=doors.OPERATE, response={201: queries.BookingView})
def record(request: HttpRequest, body: RecordIn) -> Status[queries.BookingView]:
    """Record a channel at once, at a later time, or from its rolling buffer."""
    made = services.record_now(
        channel=library.get_channel(body.channel),
        duration=body.duration_seconds,
        title=body.title,
        starts_at=body.starts_at or body.start or None,
        actor=doors.actor(request),
    )
    return Status(201, queries.booking(made.pk))
