"""The programme guide, and the calendar of what will be recorded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from django.http import HttpRequest, HttpResponse
from ninja import Field, Query, Router, Schema

from nephos.library import queries as library
from nephos.recording.guide import ics, queries, services
from nephos.web.api import doors

router = Router(tags=["guide"])


class ProgrammeIn(Schema, extra="forbid"):
    """One programme."""

    starts_at: datetime
    ends_at: datetime
    title: Annotated[str, Field(max_length=1000)]
    subtitle: Annotated[str, Field(max_length=1000)] = ""


class GuideIn(Schema, extra="forbid"):
    """Programmes of one channel, in the order they air."""

    channel: str
    programmes: Annotated[list[ProgrammeIn], Field(max_length=services.MOST_AT_ONCE)]


@dataclass(frozen=True, slots=True)
class TakenView:
    """What became of them."""

    channel: str
    programmes: int
    titles: int


@router.get("/guide", auth=doors.READ, response=list[queries.ProgrammeView])
def list_(
    request: HttpRequest, channel: str = "", limit: Annotated[int, Query(ge=1, le=1000)] = 100
) -> list[queries.ProgrammeView]:
    """What airs now and next, as far as a guide told."""
    return queries.programmes(channel=library.get_channel(channel).pk if channel else None, limit=limit)


@router.post("/guide", auth=doors.OPERATE, response=TakenView)
def take(request: HttpRequest, body: GuideIn) -> TakenView:
    """Take programmes of a channel in; bookings and recordings of their time get their titles."""
    channel = library.get_channel(body.channel)
    given = [services.Given(**one.dict()) for one in body.programmes]
    changed = services.take(channel=channel, programmes=given, actor=doors.actor(request))
    return TakenView(channel.name, len(given), changed)


@router.get("/bookings.ics", auth=doors.READ)
def calendar(request: HttpRequest) -> HttpResponse:
    """What will be recorded, as an iCalendar feed."""
    return HttpResponse(queries.calendar(), content_type=f"{ics.TYPE}; charset=utf-8")
