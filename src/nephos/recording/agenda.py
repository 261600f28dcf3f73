"""From schedules to bookings: what a rule says becomes rows, each airing once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from django.db import transaction
from django.db.models import Q

from nephos.events import kinds, moves
from nephos.lib import clock
from nephos.recording import rules, states
from nephos.recording.guide import titles
from nephos.recording.models import Booking, Schedule

HORIZON = timedelta(hours=50)  # the plan looks 48 hours ahead
_LOOK_BACK = timedelta(days=31)  # what was missed longer ago is not booked any more
_NOTE_AFTER = timedelta(minutes=30)
_BEGUN = (
    states.BookingState.RECORDING,
    states.BookingState.RECORDED,
    states.BookingState.SKIPPED,
    states.BookingState.CANCELLED,
)


def rule_of(schedule: Schedule, *, station_zone: str) -> tuple[rules.Rule, str]:
    """The rule of a schedule in the zone in force, and a warning about that zone if there is one."""
    zone, warning = rules.zone_of(schedule.zone, schedule.channel.zone, station_zone)
    rule = rules.Rule(
        zone=zone,
        start=schedule.start_time,
        duration=timedelta(seconds=schedule.duration_seconds),
        date=schedule.date,
        weekdays=schedule.weekdays,
        padding_before=timedelta(seconds=schedule.padding_before_seconds),
        padding_after=timedelta(seconds=schedule.padding_after_seconds),
        until=schedule.until,
        every_days=_every(schedule.every, "days"),
        every_weeks=_every(schedule.every, "weeks"),
        recurrence=schedule.recurrence,
        also_on=_dates(schedule.also_on),
        not_on=_dates(schedule.not_on),
    )
    return rule, warning


def _every(text: str, unit: str) -> int:
    number, _, noun = text.partition(" ")
    return int(number) if noun == unit else 0


def _dates(kept: list[str]) -> frozenset[date]:
    return frozenset(date.fromisoformat(day) for day in kept)


def fill(schedule: Schedule, *, now: datetime, station_zone: str) -> bool:
    """Make the bookings of a schedule agree with its rule; True if any changed. Safe to repeat at any clock.

    Only planned bookings are touched. Those that were overslept are made too, so that they can be seen to be missed.
    """
    rule, _ = rule_of(schedule, station_zone=station_zone)
    with transaction.atomic():
        planned = {row.starts_at: row for row in schedule.bookings.filter(state=states.BookingState.PLANNED)}
        wanted = _wanted(schedule, rule, planned.values(), now)
        known = (
            titles.Titles(schedule.channel, min(wanted), max(one.end for one in wanted.values())) if wanted else None
        )
        changed = [
            _follow(row, wanted[start], schedule, rule, known) if start in wanted else _drop(row, now)
            for start, row in planned.items()
        ]
        fresh = _missing(schedule, [one for start, one in wanted.items() if start not in planned])
        Booking.objects.bulk_create([_booking(schedule, rule, one, known) for one in fresh], ignore_conflicts=True)
        _note_progress(schedule, now + HORIZON)
    return bool(fresh) or any(changed)


def _wanted(
    schedule: Schedule, rule: rules.Rule, planned: Iterable[Booking], now: datetime
) -> dict[datetime, rules.Occurrence]:
    if not schedule.enabled:
        return {}
    since = max(min(now, schedule.booked_until), now - _LOOK_BACK)
    found = rules.occurrences(rule, since, now + HORIZON)
    for row in planned:
        if row.from_at >= now + HORIZON:  # booked before the clock was set back: looked at one by one, it may be years
            found += rules.occurrences(rule, row.starts_at, row.starts_at + timedelta(seconds=1))
    return {one.start: one for one in found if not _was_running_at_the_edit(schedule, one)}


def revive(*, now: datetime) -> None:
    """A booking that was missed and lies ahead again, because the clock was set back, is planned again."""
    for row in Booking.objects.filter(state=states.BookingState.MISSED, to_at__gt=now, channel__isnull=False):
        event = kinds.BookingPlanned(subject=f"booking:{row.pk}", title=row.title, starts_at=clock.stamp(row.starts_at))
        moves.move(row, to=states.BookingState.PLANNED, event=event, reason="")


def _was_running_at_the_edit(schedule: Schedule, one: rules.Occurrence) -> bool:
    """Whether the old rule's airing covers this one: what is being recorded is not recorded twice after an edit."""
    if one.start >= schedule.changed_at:
        return False
    overlapping = Q(starts_at__lt=one.end, ends_at__gt=one.start, state__in=_BEGUN)
    return schedule.bookings.filter(overlapping).exclude(starts_at=one.start).exists()


def _missing(schedule: Schedule, wanted: list[rules.Occurrence]) -> list[rules.Occurrence]:
    known = set(
        schedule.bookings.filter(starts_at__in=[one.start for one in wanted]).values_list("starts_at", flat=True)
    )
    return [one for one in wanted if one.start not in known]


def _title(schedule: Schedule, one: rules.Occurrence, known: titles.Titles | None) -> str:
    return (known.of(one.start, one.end) if known else None) or schedule.name


def _booking(schedule: Schedule, rule: rules.Rule, one: rules.Occurrence, known: titles.Titles | None) -> Booking:
    return Booking(
        state=states.BOOKING.first,
        schedule=schedule,
        channel=schedule.channel,
        title=_title(schedule, one, known),
        starts_at=one.start,
        ends_at=one.end,
        from_at=one.start - rule.padding_before,
        to_at=one.end + rule.padding_after,
    )


def _follow(
    row: Booking, one: rules.Occurrence, schedule: Schedule, rule: rules.Rule, known: titles.Titles | None
) -> bool:
    extra = timedelta(seconds=row.extra_seconds)
    changes = {
        "channel_id": schedule.channel_id,
        "title": _title(schedule, one, known),
        "ends_at": one.end + extra,
        "from_at": one.start - rule.padding_before,
        "to_at": one.end + rule.padding_after + extra,
    }
    if all(getattr(row, column) == value for column, value in changes.items()):
        return False
    return Booking.objects.filter(pk=row.pk, state=states.BookingState.PLANNED).update(**changes) > 0


def _drop(row: Booking, now: datetime) -> bool:
    if row.to_at <= now:
        return False  # it was missed; the bookings loop says so
    return Booking.objects.filter(pk=row.pk, state=states.BookingState.PLANNED).delete()[0] > 0


def _note_progress(schedule: Schedule, until: datetime) -> None:
    if until - schedule.booked_until > _NOTE_AFTER:
        schedule.booked_until = until.astimezone(UTC)
        Schedule.objects.filter(pk=schedule.pk).update(booked_until=schedule.booked_until)
