"""What pages, API and commands read of schedules and bookings: frozen values, never rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, time
from typing import Any, Unpack
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet

from nephos.core import bootstrap
from nephos.lib import clock, errors
from nephos.lib import text as texts
from nephos.library.models import Channel
from nephos.recording import agenda, fields, rules, services, states, zones
from nephos.recording import errors as recording_errors
from nephos.recording.models import Booking, Schedule

_MOST_PREVIEWED = 100
_MOST_NIGHTS = 6


@dataclass(frozen=True, slots=True)
class ScheduleView:
    """A schedule; `zone` is what was given, `zone_in_force` what counts."""

    id: int
    name: str
    slug: str
    channel: str
    channel_id: int
    zone: str
    zone_in_force: str
    warning: str
    start: time
    date: rules.Day | None
    weekdays: int
    every: str
    rule: str
    not_on: list[str]
    also_on: list[str]
    duration_seconds: int
    padding_before_seconds: int
    padding_after_seconds: int
    until: rules.Day | None
    pipeline: str
    priority: int
    tags: list[str]
    enabled: bool
    words: str
    next_at: datetime | None


@dataclass(frozen=True, slots=True)
class BookingView:
    """A booking: wanted from `starts_at` to `ends_at`, received from `from_at` to `to_at`."""

    id: int
    schedule: str
    schedule_id: int | None
    channel: str
    channel_id: int | None
    title: str
    starts_at: datetime
    ends_at: datetime
    from_at: datetime
    to_at: datetime
    state: str
    state_at: datetime
    stopped: bool
    reason: str
    asset_id: int | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Airing:
    """One airing that a rule would make. The local times carry their offset from UTC."""

    starts_at: datetime
    ends_at: datetime
    from_at: datetime
    to_at: datetime
    local_start: datetime
    local_end: datetime
    note: str
    local: str  # `Sun 2026-11-22 20:30:00 CET`: the start as the clock on the wall shows it


@dataclass(frozen=True, slots=True)
class Preview:
    """What a rule means, before it is kept. `clock_changes` are airings of the next year over which clocks change."""

    words: str
    zone: str
    warning: str
    airings: list[Airing]
    clock_changes: list[Airing]


def schedules(*, channel: int | None = None) -> list[ScheduleView]:
    """All schedules by name, with their next airing."""
    rows = Schedule.objects.select_related("channel")
    found = list(rows if channel is None else rows.filter(channel_id=channel))
    next_at = _next_at(row.pk for row in found)
    station_zone = zones.of_station(bootstrap.current())
    return [_schedule_view(row, next_at.get(row.pk), station_zone) for row in found]


def schedule(ref: str | int) -> ScheduleView:
    """One schedule. Raises UnknownSchedule."""
    row = get_schedule(ref)
    return _schedule_view(row, _next_at([row.pk]).get(row.pk), zones.of_station(bootstrap.current()))


def get_schedule(ref: str | int) -> Schedule:
    """A schedule by id, `channel/slug`, name, slug or unambiguous start of its name. Raises UnknownSchedule."""
    text = str(ref)
    rows = Schedule.objects.select_related("channel")
    found: list[Schedule] = []
    for condition in _ways_to_name(text):
        found = list(rows.filter(condition)[:2])
        if len(found) == 1:
            return found[0]
        if found:
            break
    if found:
        raise recording_errors.UnknownSchedule(
            f"{text[:80]!r} could be several schedules.",
            hint=f"Name the channel too: {found[0].channel.slug}/{text[:40]}",
        )
    raise recording_errors.UnknownSchedule(
        f"There is no schedule {text[:80]!r}.", hint="`nephos schedule list` shows them."
    )


def _ways_to_name(text: str) -> list[Q]:
    text = texts.searched(text)
    ways: list[Q] = []
    if text.isascii() and text.isdigit() and len(text) < 18:
        ways.append(Q(pk=int(text)))
    channel, slash, slug = text.partition("/")
    if slash:
        ways.append(Q(channel__slug=channel.lower(), slug=slug.lower()))
    ways.append(Q(name__iexact=text) | Q(slug=text.lower()))
    if text:
        ways.append(Q(name__istartswith=text))
    return ways


def bookings(
    *,
    state: str = "",
    upcoming: bool = False,
    schedule: int | None = None,
    channel: int | None = None,
    asset: int | None = None,
    limit: int = 100,
) -> list[BookingView]:
    """Bookings: the open ones in the order they air (`upcoming`), else all of them, the latest first."""
    rows = Booking.objects.select_related("channel", "schedule")
    rows = _in_state(rows, state)
    if schedule is not None:
        rows = rows.filter(schedule_id=schedule)
    if channel is not None:
        rows = rows.filter(channel_id=channel)
    if asset is not None:
        rows = rows.filter(asset_id=asset)
    if upcoming:
        rows = rows.filter(state__in=states.OPEN).order_by("from_at", "pk")
    else:
        rows = rows.order_by("-starts_at", "-pk")
    return [_booking_view(row) for row in rows[: max(0, limit)]]


def _in_state(rows: QuerySet[Booking], state: str) -> QuerySet[Booking]:
    if not state:
        return rows
    if state not in list(states.BookingState):
        names = ", ".join(states.BookingState)
        raise errors.Invalid(f"{state[:40]!r} is no state of a booking.", hint=f"One of {names}.")
    return rows.filter(state=state)


def booking(ref: str | int) -> BookingView:
    """One booking. Raises UnknownBooking."""
    return _booking_view(get_booking(ref))


def get_booking(ref: str | int) -> Booking:
    """A booking by id. Raises UnknownBooking."""
    text = str(ref)
    if text.isascii() and text.isdigit() and len(text) < 18:
        row = Booking.objects.select_related("channel", "schedule").filter(pk=int(text)).first()
        if row is not None:
            return row
    raise recording_errors.UnknownBooking(
        f"There is no booking {text[:80]!r}.", hint="`nephos booking list` shows them."
    )


def preview(
    *,
    channel: Channel | None = None,
    count: int = 10,
    after: datetime | None = None,
    **given: Unpack[fields.ScheduleFields],
) -> Preview:
    """What a schedule with these fields would record. Raises Invalid."""
    columns: dict[str, Any] = {"duration_seconds": 3600, **fields.columns(given)}
    if "start_time" not in columns:
        raise errors.Invalid("A schedule needs a start.")
    draft = Schedule(channel=channel or Channel(), **columns)
    return _preview(draft, count, after)


def preview_of(ref: str | int, *, count: int = 10, after: datetime | None = None) -> Preview:
    """What a schedule will record. Raises UnknownSchedule."""
    return _preview(get_schedule(ref), count, after)


def _preview(schedule: Schedule, count: int, after: datetime | None) -> Preview:
    after = after or clock.now()
    rule, warning = agenda.rule_of(schedule, station_zone=zones.of_station(bootstrap.current()))
    if rule.is_counted and rule.date is None:
        rule = replace(rule, date=after.astimezone(ZoneInfo(rule.zone)).date())
    services.check_days(rule)
    most = max(0, min(count, _MOST_PREVIEWED))
    found = rules.upcoming(rule, after, count=most)
    nights = rules.changes_of_clocks(rule, after)[:_MOST_NIGHTS]
    return Preview(
        words=rules.words(rule),
        zone=rule.zone,
        warning=warning,
        airings=[_airing(rule, one) for one in found],
        clock_changes=[_airing(rule, one) for one in nights],
    )


def _airing(rule: rules.Rule, one: rules.Occurrence) -> Airing:
    zone = ZoneInfo(rule.zone)
    return Airing(
        starts_at=one.start,
        ends_at=one.end,
        from_at=one.start - rule.padding_before,
        to_at=one.end + rule.padding_after,
        local_start=one.start.astimezone(zone),
        local_end=one.end.astimezone(zone),
        note=one.note,
        local=f"{one.start.astimezone(zone):%a %Y-%m-%d %H:%M:%S %Z}",
    )


def _next_at(schedule_ids: Iterable[int]) -> dict[int, datetime]:
    rows = Booking.objects.filter(
        schedule_id__in=list(schedule_ids), state=states.BookingState.PLANNED, to_at__gt=clock.now()
    )
    found: dict[int, datetime] = {}
    for schedule_id, starts_at in rows.order_by("-starts_at").values_list("schedule_id", "starts_at"):
        if schedule_id is not None:
            found[schedule_id] = starts_at
    return found


def _schedule_view(row: Schedule, next_at: datetime | None, station_zone: str) -> ScheduleView:
    rule, warning = agenda.rule_of(row, station_zone=station_zone)
    if next_at is None and row.enabled:
        # Further away than bookings are made: the rule itself tells.
        now = clock.now()
        next_at = next((one.start for one in rules.upcoming(rule, now, count=2) if one.start > now), None)
    return ScheduleView(
        id=row.pk,
        name=row.name,
        slug=row.slug,
        channel=row.channel.name,
        channel_id=row.channel_id,
        zone=row.zone,
        zone_in_force=rule.zone,
        warning=warning,
        start=row.start_time,
        date=row.date,
        weekdays=row.weekdays,
        every=row.every,
        rule=row.recurrence,
        not_on=list(row.not_on),
        also_on=list(row.also_on),
        duration_seconds=row.duration_seconds,
        padding_before_seconds=row.padding_before_seconds,
        padding_after_seconds=row.padding_after_seconds,
        until=row.until,
        pipeline=row.pipeline,
        priority=row.priority,
        tags=list(row.tags),
        enabled=row.enabled,
        words=rules.words(rule),
        next_at=next_at,
    )


def _booking_view(row: Booking) -> BookingView:
    return BookingView(
        id=row.pk,
        schedule=row.schedule.name if row.schedule else "",
        schedule_id=row.schedule_id,
        channel=row.channel.name if row.channel else "",
        channel_id=row.channel_id,
        title=row.title,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        from_at=row.from_at,
        to_at=row.to_at,
        state=row.state,
        state_at=row.state_at,
        stopped=row.stopped,
        reason=row.reason,
        asset_id=row.asset_id,
        created_at=row.created_at,
    )
