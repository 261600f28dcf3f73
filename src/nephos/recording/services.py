"""Verbs that write: schedules and bookings."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any, Unpack
from zoneinfo import ZoneInfo

from django.db import transaction

from nephos.core import bootstrap
from nephos.core import errors as core_errors
from nephos.events import kinds, log, moves
from nephos.lib import clock, errors, text
from nephos.library import naming
from nephos.library.models import Channel
from nephos.recording import agenda, buffers, fields, gaps, handover, rules, space, starts, states, timeline, zones
from nephos.recording import errors as recording_errors
from nephos.recording.models import Booking, Schedule

_NEEDED = ("start", "duration")
_FURTHEST = timedelta(days=366)
# A recording that is ordered now begins this much later: by then the recorder has read the new plan and listens.
_LEAD = timedelta(seconds=0.5)
_SECOND = timedelta(seconds=1)
_AT_ONCE = timedelta(minutes=1)


# --- schedules -------------------------------------------------------------------------------------------------------


def add_schedule(*, name: str, channel: Channel, actor: str = "", **given: Unpack[fields.ScheduleFields]) -> Schedule:
    """Add a rule and book its next airings. Raises Invalid, Taken, or AlreadyOver for a single airing of the past."""
    name = naming.title(name, what="schedule name")
    for needed in _NEEDED:
        if needed not in given:
            raise errors.Invalid(f"A schedule needs a {needed}.")
    now = clock.now()
    columns = fields.columns(given)
    with transaction.atomic():
        _refuse_taken(name, channel, besides=None)
        slug = _free_slug(name, channel, besides=None)
        schedule = Schedule(
            name=name, slug=slug, channel=channel, booked_until=now, changed_at=now, created_at=now, **columns
        )
        _begin_counting(schedule, now)
        if not schedule.weekdays and not schedule.every and not schedule.recurrence:
            schedule.booked_until = buffers.since(channel, now)  # a single airing may be over and still be there
        words = _checked_words(schedule, schedule.booked_until)
        schedule.save()
        log.emit(kinds.ScheduleAdded(subject=subject(schedule), schedule=name, words=words), actor=actor)
        agenda.fill(schedule, now=now, station_zone=_station_zone())
    return schedule


def change_schedule(
    *,
    schedule: Schedule,
    name: str | None = None,
    channel: Channel | None = None,
    actor: str = "",
    **given: Unpack[fields.ScheduleFields],
) -> Schedule:
    """Change a rule. What is being recorded goes on as it was; what is planned is booked anew.

    Raises Invalid, Taken, or AlreadyOver.
    """
    now = clock.now()
    columns: dict[str, Any] = fields.columns(given)
    name = schedule.name if name is None else naming.title(name, what="schedule name")
    channel = channel or schedule.channel
    moved = name != schedule.name or channel != schedule.channel
    with transaction.atomic():
        if moved:
            _refuse_taken(name, channel, besides=schedule)
            columns |= {"name": name, "channel": channel, "slug": _free_slug(name, channel, besides=schedule)}
        changed = Schedule.objects.select_related("channel").get(pk=schedule.pk)
        for column, value in columns.items():
            setattr(changed, column, value)
        _begin_counting(changed, now)
        # Only a new time can be over already: a rule that has aired may still be renamed or switched off.
        words = _checked_words(changed, now if _TIMES & set(columns) else None)
        changed.changed_at = changed.booked_until = now
        changed.save()
        log.emit(kinds.ScheduleChanged(subject=subject(changed), schedule=name, words=words), actor=actor)
        agenda.fill(changed, now=now, station_zone=_station_zone())
    return changed


_DAYS = {"date", "weekdays", "every", "recurrence", "not_on", "also_on", "until"}
_TIMES = _DAYS | {"start_time", "duration_seconds", "padding_after_seconds", "zone"}


def set_enabled(*, schedule: Schedule, enabled: bool, actor: str = "") -> Schedule:
    """Switch a rule on or off; what is being recorded goes on. Does nothing if it is so already."""
    if schedule.enabled == enabled:
        return schedule
    return change_schedule(schedule=schedule, enabled=enabled, actor=actor)


def remove_schedule(*, schedule: Schedule, actor: str = "") -> None:
    """Remove a rule and its planned bookings; what is being recorded goes on, what was recorded stays."""
    with transaction.atomic():
        log.emit(kinds.ScheduleRemoved(subject=subject(schedule), schedule=schedule.name), actor=actor)
        schedule.bookings.filter(state=states.BookingState.PLANNED).delete()
        schedule.delete()


def subject(row: Schedule | Booking) -> str:
    """How events name a schedule or booking."""
    return f"{type(row).__name__.lower()}:{row.pk}"


def _begin_counting(schedule: Schedule, now: datetime) -> None:
    """Every so many days, from when? From today, in the zone in force, if nobody said."""
    rule, _ = agenda.rule_of(schedule, station_zone=_station_zone())
    if rule.is_counted and schedule.date is None:
        schedule.date = now.astimezone(ZoneInfo(rule.zone)).date()


def _checked_words(schedule: Schedule, now: datetime | None) -> str:
    rule, _ = agenda.rule_of(schedule, station_zone=_station_zone())
    check_days(rule)
    if now is not None and schedule.enabled and not rules.upcoming(rule, now, count=1):
        raise recording_errors.AlreadyOver(
            f"That airs never again: {rules.words(rule)[:200]}.", hint="Choose a day that is still to come."
        )
    return rules.words(rule)


def check_days(rule: rules.Rule) -> None:
    """Refuse a rule that has no days or contradicts itself. Raises Invalid."""
    if not rule.has_days:
        raise errors.Invalid(
            "A schedule needs weekdays or a date.", hint="For example mon-fri, or the date of a single airing."
        )
    if (rule.recurrence and (rule.weekdays or rule.every_days or rule.every_weeks)) or (
        rule.every_days and rule.weekdays
    ):
        raise errors.Invalid(
            "The days are given twice.", hint="Give weekdays, or every so many days, or a recurrence rule."
        )
    if rule.date and rule.until and rule.until < rule.date:
        raise errors.Invalid("The last day is before the first.")
    if both := rule.also_on & rule.not_on:
        raise errors.Invalid(f"{min(both)} is both an extra day and an exception.")


def _refuse_taken(name: str, channel: Channel, *, besides: Schedule | None) -> None:
    others = Schedule.objects.filter(channel=channel, name__iexact=name)
    if besides is not None:
        others = others.exclude(pk=besides.pk)
    if others.exists():
        raise recording_errors.Taken(f"Channel {channel.name} has a schedule called {name} already.")


def _free_slug(name: str, channel: Channel, *, besides: Schedule | None) -> str:
    others = Schedule.objects.filter(channel=channel)
    if besides is not None:
        others = others.exclude(pk=besides.pk)
    wanted = naming.slug(name, fallback="schedule")
    slug, number = wanted, 2
    while others.filter(slug=slug).exists():
        slug, number = f"{wanted}-{number}", number + 1
    return slug


def _station_zone() -> str:
    return zones.of_station(bootstrap.current())


# --- bookings --------------------------------------------------------------------------------------------------------


def record_now(
    *,
    channel: Channel,
    duration: fields.Length,
    title: str = "",
    starts_at: datetime | str | None = None,
    actor: str = "",
) -> Booking:
    """Record a channel at once, at a later time, or from its rolling buffer. Raises Invalid, or AlreadyOver.

    A start of `20:00` is the nearest one in the channel's zone.
    """
    length = fields.read_duration(duration)
    title = naming.title(title or channel.name, what="title")
    now = clock.now()
    if not starts_at:
        starts_at = None
    elif isinstance(starts_at, str):
        zone, _ = rules.zone_of("", channel.zone, _station_zone())
        starts_at = starts.read(starts_at, zone=zone, now=now)
    start = _whole_second(now + _LEAD) if starts_at is None else _checked_start(starts_at, now)
    if start + length <= now and not buffers.holds(channel, gaps.Span(start, start + length)):
        raise recording_errors.AlreadyOver(
            "That time is already over, and nothing is kept of it.",
            hint="`nephos channel edit NAME --buffer 2h` keeps what airs from now on, to record it afterwards.",
        )
    if start <= now + _AT_ONCE:
        space.check(bootstrap.current())
    with transaction.atomic():
        booking = Booking.objects.create(
            state=states.BOOKING.first,
            channel=channel,
            title=title,
            starts_at=start,
            ends_at=start + length,
            from_at=start,
            to_at=start + length,
        )
        event = kinds.BookingAdded(
            subject=subject(booking),
            title=title,
            channel=channel.name,
            starts_at=clock.stamp(start),
            length=text.duration(length),
        )
        log.emit(event, actor=actor)
    return booking


def skip(*, booking: Booking, actor: str = "") -> Booking:
    """Leave out a planned airing. Raises ForbiddenMove if it is no longer only planned."""
    event = kinds.BookingSkipped(
        subject=subject(booking), title=booking.title, starts_at=clock.stamp(booking.starts_at)
    )
    moves.move(booking, to=states.BookingState.SKIPPED, event=event, actor=actor, reason="A person skipped it.")
    return booking


def stop(*, booking: Booking, actor: str = "") -> Booking:
    """End a recording now and keep what there is; a planned booking is cancelled.

    Raises ForbiddenMove if it ended before, StaleState if it changed a moment ago.
    """
    event = kinds.BookingStopped(
        subject=subject(booking), title=booking.title, starts_at=clock.stamp(booking.starts_at)
    )
    if booking.state != states.BookingState.RECORDING:
        reason = "A person stopped it before anything was received."
        moves.move(booking, to=states.BookingState.CANCELLED, event=event, actor=actor, reason=reason)
        return booking
    end = _end_now(booking)
    changes = {"to_at": end, "ends_at": min(booking.ends_at, end), "stopped": True}
    _change_running(booking, event, actor=actor, changes=changes)
    return booking


def stop_for_space(*, booking: Booking, free_bytes: int) -> None:
    """End a running recording now because the disk is almost full; what there is is kept. Raises StaleState."""
    event = kinds.BookingCutShort(
        subject=subject(booking),
        title=booking.title,
        starts_at=clock.stamp(booking.starts_at),
        free=text.size(free_bytes),
    )
    _change_running(booking, event, actor="", changes={"to_at": _end_now(booking), "cut_short": True})


def extend(*, booking: Booking, by: fields.Length, actor: str = "") -> Booking:
    """Let a planned or running booking last longer. Raises Invalid, NotNow, or StaleState."""
    longer = fields.read_duration(by)
    if booking.state not in states.OPEN or booking.to_at <= _now_of(booking):
        raise errors.NotNow(f"{booking.title} is over and cannot be extended.")
    if booking.to_at + longer - booking.from_at > rules.LONGEST:
        raise errors.Invalid(f"That is longer than {text.duration(rules.LONGEST)} in all.")
    event = kinds.BookingExtended(
        subject=subject(booking),
        title=booking.title,
        starts_at=clock.stamp(booking.starts_at),
        length=text.duration(longer),
    )
    changes = {
        "to_at": booking.to_at + longer,
        "ends_at": booking.ends_at + longer,
        "extra_seconds": booking.extra_seconds + int(longer.total_seconds()),
        "stopped": False,
    }
    _change_running(booking, event, actor=actor, changes=changes)
    return booking


def _end_now(booking: Booking) -> datetime:
    return max(booking.from_at + _SECOND, min(booking.to_at, _whole_second(_now_of(booking))))


def _now_of(booking: Booking) -> datetime:
    """The time as this recording counts it: it keeps the one that it began with when the wall clock is set."""
    now = clock.now()
    counted = handover.now_of(bootstrap.loaded().home.run, booking.pk)
    return now if counted is None or abs(counted - now) < timeline.STEP else counted


def _change_running(booking: Booking, event: kinds.Kind, *, actor: str, changes: dict[str, Any]) -> None:
    """Change columns of a booking that nobody moved or re-timed meanwhile."""
    with transaction.atomic():
        same = Booking.objects.filter(pk=booking.pk, state=booking.state, to_at=booking.to_at)
        if same.update(**changes) != 1:
            raise core_errors.StaleState(f"{booking.title} changed a moment ago.", hint="Look at it and try again.")
        log.emit(event, actor=actor)
    for column, value in changes.items():
        setattr(booking, column, value)


def _checked_start(moment: datetime, now: datetime) -> datetime:
    if moment.tzinfo is None:
        raise errors.Invalid("The start names no time zone.", hint="Write it like 2026-11-22T19:16:20Z.")
    moment = moment.astimezone(UTC)
    if moment - now > _FURTHEST:
        raise errors.Invalid("The start is more than a year away.", hint="Add a schedule with that date instead.")
    return moment.replace(microsecond=0)


def _whole_second(moment: datetime) -> datetime:
    """The moment itself or the next whole second: windows are cut at whole seconds."""
    return datetime.fromtimestamp(math.ceil(moment.timestamp()), UTC)
