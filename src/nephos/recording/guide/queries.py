"""What pages, API and commands read of the guide and of the calendar."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from nephos.core import bootstrap
from nephos.lib import clock
from nephos.recording import states
from nephos.recording.guide import ics
from nephos.recording.models import Booking, Programme

_SHOWN_STATES = (*states.OPEN, states.BookingState.SKIPPED)
_MOST = 2000


@dataclass(frozen=True, slots=True)
class ProgrammeView:
    """One programme of a channel."""

    channel: str
    starts_at: datetime
    ends_at: datetime
    title: str
    subtitle: str


def programmes(*, channel: int | None = None, limit: int = 100) -> list[ProgrammeView]:
    """What airs now and next, by time."""
    rows = Programme.objects.select_related("channel").filter(ends_at__gt=clock.now())
    if channel is not None:
        rows = rows.filter(channel_id=channel)
    return [
        ProgrammeView(row.channel.name, row.starts_at, row.ends_at, row.title, row.subtitle) for row in rows[:limit]
    ]


def calendar() -> str:
    """The open bookings, and those a person skipped, as an iCalendar document."""
    station = bootstrap.loaded().settings.station.name
    rows = Booking.objects.select_related("channel", "schedule").filter(state__in=_SHOWN_STATES, to_at__gt=clock.now())
    events = [_event(row, station) for row in rows.order_by("starts_at", "pk")[:_MOST]]
    return ics.calendar(events, name=f"Nephos {station}", now=clock.now())


def _event(row: Booking, station: str) -> ics.Event:
    schedule = f"Schedule {row.schedule.name}. " if row.schedule else ""
    return ics.Event(
        # The row of a booking is made anew when a rule is edited; its schedule and start stay.
        uid=f"{row.schedule_id or 'order'}-{clock.compact(row.starts_at)}-{row.pk}@{station}.nephos",
        start=row.starts_at,
        end=row.ends_at,
        summary=row.title,
        location=row.channel.name if row.channel else "",
        description=f"{schedule}Recorded from {row.from_at:%H:%M:%S} to {row.to_at:%H:%M:%S} UTC.",
        cancelled=row.state == states.BookingState.SKIPPED,
    )
