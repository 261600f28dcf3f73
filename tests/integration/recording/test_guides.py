"""Titles from a guide reach bookings and recordings; the calendar shows what is booked."""

from __future__ import annotations

from datetime import timedelta

import icalendar
import pytest

from nephos.config.load import Loaded
from nephos.library.models import Asset, Channel
from nephos.recording import agenda, services
from nephos.recording.guide import queries
from nephos.recording.guide import services as guide
from nephos.recording.models import Booking, Programme
from tests.fakes import air
from tests.integration.recording import stage

pytestmark = pytest.mark.django_db(transaction=True)


def programme(start: float, minutes: float, title: str) -> guide.Given:
    begin = stage.NOON + timedelta(minutes=start)
    return guide.Given(starts_at=begin, ends_at=begin + timedelta(minutes=minutes), title=title)


def test_planned_airings_take_their_titles_and_keep_them(channel: Channel, hands: air.Clock) -> None:
    made = services.add_schedule(name="Evening", channel=channel, start="21:00", duration="30m", weekdays="daily")

    changed = guide.take(channel=channel, programmes=[programme(58, 34, "The storm"), programme(92, 60, "Film")])
    agenda.fill(made, now=hands.wall, station_zone="UTC")

    assert changed == 1
    titles = list(made.bookings.order_by("starts_at").values_list("title", flat=True))
    assert titles == ["The storm", "Evening", "Evening"]


def test_a_schedule_that_is_added_later_finds_the_titles(channel: Channel, hands: air.Clock) -> None:
    guide.take(channel=channel, programmes=[programme(60, 30, "The storm")])

    made = services.add_schedule(name="Evening", channel=channel, start="21:00", duration="30m", weekdays="sun")

    assert made.bookings.get().title == "The storm"


def test_a_recording_is_named_after_what_was_recorded(
    home: Loaded, channel: Channel, hands: air.Clock, tape: air.Air
) -> None:
    stage.order(channel)  # by hand, with no name of its own
    mine = services.record_now(channel=channel, duration=20, starts_at=stage.at(5), title="Mine")
    tape.receive(stage.at(2), stage.at(28))
    stage.run(home, hands, 70)

    guide.take(channel=channel, programmes=[programme(0, 10, "Short film")])

    assert {row.title for row in Asset.objects.all()} == {"Short film", "Mine"}
    mine.refresh_from_db()
    assert mine.title == "Mine"


def test_a_newer_guide_replaces_the_time_it_covers(channel: Channel) -> None:
    guide.take(channel=channel, programmes=[programme(0, 60, "A"), programme(60, 60, "B"), programme(120, 60, "C")])

    guide.take(channel=channel, programmes=[programme(50, 80, "D")])

    assert [row.title for row in Programme.objects.all()] == ["D"]


def test_the_calendar_holds_what_is_booked(channel: Channel, hands: air.Clock) -> None:
    services.add_schedule(name="News; late", channel=channel, start="21:00", duration="30m", weekdays="daily")
    services.skip(booking=Booking.objects.order_by("starts_at")[1])

    calendar = icalendar.Calendar.from_ical(queries.calendar())

    events = calendar.walk("VEVENT")
    assert [str(one["SUMMARY"]) for one in events] == ["News; late"] * 3
    assert [str(one["STATUS"]) for one in events] == ["CONFIRMED", "CANCELLED", "CONFIRMED"]
    assert events[0].decoded("DTSTART") == stage.NOON + timedelta(hours=1)
    assert str(events[0]["LOCATION"]) == "La Uno"
    assert len({str(one["UID"]) for one in events}) == 3
