"""Schedules: what is recorded when."""

from __future__ import annotations

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Field, Query, Router, Schema
from ninja.responses import Status

from nephos.library import queries as library
from nephos.recording import queries, services
from nephos.web.api import doors

router = Router(tags=["schedules"])

Count = Annotated[int, Query(ge=1, le=100)]


class RuleFields(Schema, extra="forbid"):
    """When: a wall-clock time in a zone, and on which days. What is left out is as it was, or the default."""

    start: str | None = Field(None, description="20:30 or 20:30:15")
    duration_seconds: float | None = None
    zone: str | None = None
    weekdays: str | int | None = Field(None, description="mon,wed,fri or mon-fri, daily, weekdays, or a mask")
    every: str | None = Field(None, description="3 days or 2 weeks, counted from the date, or from today")
    rule: str | None = Field(None, description="an RFC 5545 recurrence rule, FREQ=MONTHLY;BYDAY=1MO")
    not_on: list[str] | None = Field(None, description="dates without an airing")
    also_on: list[str] | None = Field(None, description="dates with an airing besides")
    date: str | None = Field(None, description="the day of a single airing, or the first day")
    until: str | None = None
    padding_before_seconds: float | None = None
    padding_after_seconds: float | None = None

    def fields(self) -> dict[str, Any]:
        """As the services want them."""
        given: dict[str, Any] = self.dict(exclude_unset=True, exclude={"channel", "name", "count"})
        return {key.removesuffix("_seconds"): value for key, value in given.items() if value is not None}


class ScheduleIn(RuleFields):
    """A new schedule."""

    name: str
    channel: str
    pipeline: str | None = None
    priority: int | None = None
    tags: list[str] | None = None
    enabled: bool | None = None


class ScheduleChange(RuleFields):
    """What is to be different."""

    name: str | None = None
    channel: str | None = None
    pipeline: str | None = None
    priority: int | None = None
    tags: list[str] | None = None
    enabled: bool | None = None


class TryIn(RuleFields):
    """A rule that is only tried."""

    channel: str = ""
    count: Annotated[int, Field(ge=1, le=100)] = 10


@router.get("/schedules", auth=doors.READ, response=list[queries.ScheduleView])
def list_(request: HttpRequest, channel: str = "") -> list[queries.ScheduleView]:
    """All schedules by name, with their next airing."""
    return queries.schedules(channel=library.get_channel(channel).pk if channel else None)


@router.post("/schedules", auth=doors.OPERATE, response={201: queries.ScheduleView})
def add(request: HttpRequest, body: ScheduleIn) -> Status[queries.ScheduleView]:
    """Add a rule; its next airings are booked."""
    channel = library.get_channel(body.channel)
    made = services.add_schedule(name=body.name, channel=channel, actor=doors.actor(request), **body.fields())
    return Status(201, queries.schedule(made.pk))


@router.post("/schedules/preview", auth=doors.READ, response=queries.Preview)
def try_(request: HttpRequest, body: TryIn) -> queries.Preview:
    """What a rule that does not exist yet would record."""
    channel = library.get_channel(body.channel) if body.channel else None
    return queries.preview(channel=channel, count=body.count, **body.fields())


@router.get("/schedules/{ref}", auth=doors.READ, response=queries.ScheduleView)
def show(request: HttpRequest, ref: str) -> queries.ScheduleView:
    """A schedule by id, name, slug or unambiguous start of its name."""
    return queries.schedule(ref)


@router.patch("/schedules/{ref}", auth=doors.OPERATE, response=queries.ScheduleView)
def edit(request: HttpRequest, ref: str, body: ScheduleChange) -> queries.ScheduleView:
    """Change a rule. What is being recorded goes on as it was."""
    services.change_schedule(
        schedule=(schedule := queries.get_schedule(ref)),
        name=body.name,
        channel=library.get_channel(body.channel) if body.channel is not None else None,
        actor=doors.actor(request),
        **body.fields(),
    )
    return queries.schedule(schedule.pk)


@router.delete("/schedules/{ref}", auth=doors.OPERATE, response={204: None})
def remove(request: HttpRequest, ref: str) -> Status[None]:
    """Remove a rule and its planned bookings; what it recorded stays."""
    services.remove_schedule(schedule=queries.get_schedule(ref), actor=doors.actor(request))
    return Status(204, None)


@router.get("/schedules/{ref}/preview", auth=doors.READ, response=queries.Preview)
def preview(request: HttpRequest, ref: str, count: Count = 10) -> queries.Preview:
    """What a schedule will record."""
    return queries.preview_of(ref, count=count)


@router.post("/schedules/{ref}/enable", auth=doors.OPERATE, response=queries.ScheduleView)
def enable(request: HttpRequest, ref: str) -> queries.ScheduleView:
    """Let it record again."""
    return _switch(request, ref, enabled=True)


@router.post("/schedules/{ref}/disable", auth=doors.OPERATE, response=queries.ScheduleView)
def disable(request: HttpRequest, ref: str) -> queries.ScheduleView:
    """Let it rest; what is being recorded goes on."""
    return _switch(request, ref, enabled=False)


def _switch(request: HttpRequest, ref: str, *, enabled: bool) -> queries.ScheduleView:
    row = queries.get_schedule(ref)
    services.set_enabled(schedule=row, enabled=enabled, actor=doors.actor(request))
    return queries.schedule(row.pk)
