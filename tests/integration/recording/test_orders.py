"""Single bookings as people order and change them, and the listings."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from nephos.core import errors as core_errors
from nephos.events import log
from nephos.lib import errors
from nephos.library.models import Channel
from nephos.recording import agenda, fields, queries, services, states
from nephos.recording.models import Booking, Schedule
from tests.fakes import air

pytestmark = pytest.mark.django_db


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


def news(channel: Channel, **more: Any) -> Schedule:
    given: dict[str, Any] = {"name": "News", "start": "21:00", "duration": "30m", "weekdays": "daily"}
    return services.add_schedule(channel=channel, **(given | more))


def starts(**filters: Any) -> list[datetime]:
    return list(Booking.objects.filter(**filters).order_by("starts_at").values_list("starts_at", flat=True))


def fill(schedule: Schedule, hands: air.Clock) -> None:
    fresh = Schedule.objects.select_related("channel").get(pk=schedule.pk)
    agenda.fill(fresh, now=hands.wall, station_zone="")


def test_recording_at_once_begins_at_the_next_whole_second(channel: Channel, hands: air.Clock) -> None:
    hands.pass_(0.7)

    booking = services.record_now(channel=channel, duration="20s")

    assert booking.from_at == booking.starts_at == utc(2026, 11, 22, 19, 0, 2)
    assert booking.ends_at - booking.starts_at == timedelta(seconds=20)
    assert booking.title == "La Uno"
    assert log.recent(limit=1)[0].kind == "booking.added"


@pytest.mark.parametrize(
    "bad",
    [
        {"duration": 0},
        {"duration": "8d"},
        {"title": "a\nb"},
        {"starts_at": datetime(2026, 11, 22, 20)},  # no zone
        {"starts_at": utc(2026, 11, 22, 18)},
        {"starts_at": utc(2029, 1, 1)},
    ],
)
def test_a_bad_order_is_refused(channel: Channel, bad: dict[str, Any]) -> None:
    with pytest.raises(errors.Invalid):
        services.record_now(channel=channel, **({"duration": 60} | bad))

    assert not Booking.objects.exists()


def test_skipping_lasts(channel: Channel, hands: air.Clock) -> None:
    schedule = news(channel)
    booking = Booking.objects.get(starts_at=utc(2026, 11, 23, 20))

    services.skip(booking=booking)
    fill(schedule, hands)

    booking.refresh_from_db()
    assert booking.state == states.BookingState.SKIPPED
    assert len(starts()) == 3
    with pytest.raises(core_errors.ForbiddenMove):
        services.skip(booking=booking)
    with pytest.raises(errors.NotNow):
        services.extend(booking=booking, by=60)


def test_stopping_a_recording_ends_its_window_now(channel: Channel, hands: air.Clock) -> None:
    booking = services.record_now(channel=channel, duration="1h")
    Booking.objects.update(state=states.BookingState.RECORDING)
    booking.refresh_from_db()
    hands.pass_(60.4)

    services.stop(booking=booking)

    booking.refresh_from_db()
    assert booking.to_at == booking.ends_at == utc(2026, 11, 22, 19, 1, 1)
    assert booking.state == states.BookingState.RECORDING
    assert booking.stopped


def test_stopping_what_is_only_planned_cancels_it(channel: Channel, hands: air.Clock) -> None:
    schedule = news(channel)
    booking = Booking.objects.get(starts_at=utc(2026, 11, 22, 20))

    services.stop(booking=booking)
    fill(schedule, hands)

    booking.refresh_from_db()
    assert booking.state == states.BookingState.CANCELLED
    with pytest.raises(core_errors.ForbiddenMove):
        services.stop(booking=booking)


def test_a_booking_that_changed_meanwhile_is_not_overwritten(channel: Channel) -> None:
    booking = services.record_now(channel=channel, duration="1h")
    stale = Booking.objects.get(pk=booking.pk)
    services.extend(booking=booking, by="5m")

    with pytest.raises(core_errors.StaleState):
        services.extend(booking=stale, by="5m")

    with pytest.raises(errors.Invalid):
        services.extend(booking=booking, by="7d")


def test_listings_are_in_the_order_people_need(channel: Channel, hands: air.Clock) -> None:
    schedule = news(channel)
    Booking.objects.filter(starts_at=utc(2026, 11, 22, 20)).update(state=states.BookingState.RECORDED)

    assert [one.starts_at for one in queries.bookings(upcoming=True)] == [utc(2026, 11, 23, 20), utc(2026, 11, 24, 20)]
    assert [one.state for one in queries.bookings(limit=3)] == ["planned", "planned", "recorded"]
    assert [one.schedule for one in queries.bookings(state="recorded")] == ["News"]
    assert queries.bookings(schedule=schedule.pk, channel=channel.pk, limit=1)[0].starts_at == utc(2026, 11, 24, 20)
    assert queries.schedules()[0].next_at == utc(2026, 11, 23, 20)
    with pytest.raises(errors.Invalid):
        queries.bookings(state="lost")
    for ref in ("0", "x", "9" * 40, "-1", ""):
        with pytest.raises(errors.NotFound):
            queries.booking(ref)
        with pytest.raises(errors.NotFound):
            queries.schedule(ref + "/")


def test_a_preview_shows_local_time_and_the_changes_of_the_clocks(channel: Channel) -> None:
    given: fields.ScheduleFields = {"start": "02:30", "duration": "1h", "weekdays": "sun", "date": "2027-03-21"}

    preview = queries.preview(channel=channel, count=3, **given)

    assert [one.local_start.isoformat() for one in preview.airings] == [
        "2027-03-21T02:30:00+01:00",
        "2027-03-28T03:30:00+02:00",
        "2027-04-04T02:30:00+02:00",
    ]
    assert [bool(one.note) for one in preview.airings] == [False, True, False]
    assert preview.zone == "Europe/Madrid"
    assert not Schedule.objects.exists()
    with pytest.raises(errors.Invalid):
        queries.preview(channel=channel, start="02:30")


def test_a_preview_of_a_schedule_is_what_will_be_booked(channel: Channel) -> None:
    schedule = news(channel, start=time(21), date=date(2026, 11, 23))

    assert [one.starts_at for one in queries.preview_of(schedule.pk, count=2).airings] == starts()
