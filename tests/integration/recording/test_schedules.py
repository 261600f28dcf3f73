"""Schedules as people add and change them."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from nephos.events import log
from nephos.lib import errors
from nephos.library import errors as library_errors
from nephos.library import naming
from nephos.library import services as library
from nephos.library.models import Channel
from nephos.recording import agenda, queries, services, states
from nephos.recording import errors as recording_errors
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


def test_a_schedule_is_booked_for_the_next_two_days_in_the_zone_of_its_channel(channel: Channel) -> None:
    schedule = news(channel, padding_before="2m", padding_after=60)

    assert starts() == [utc(2026, 11, day, 20) for day in (22, 23, 24)]
    first = Booking.objects.get(starts_at=utc(2026, 11, 22, 20))
    assert (first.from_at, first.to_at) == (utc(2026, 11, 22, 19, 58), utc(2026, 11, 22, 20, 31))
    assert first.title == "News"
    assert first.state == states.BookingState.PLANNED
    assert schedule.slug == "news"
    assert log.recent(limit=1)[0].text == (
        "Schedule News was added: Every day at 21:00 Europe/Madrid, for 30m, from 2m before to 1m after."
    )


def test_a_schedule_in_its_own_zone_does_not_follow_the_channel(channel: Channel) -> None:
    news(channel, zone="America/New_York", start="14:30:15")

    assert starts()[0] == utc(2026, 11, 22, 19, 30, 15)


def test_filling_again_at_any_clock_doubles_and_loses_nothing(channel: Channel, hands: air.Clock) -> None:
    schedule = news(channel)
    expected = starts()

    for step in (0, -3600, 7200, -50_000, 50_000):
        hands.step(step)
        fill(schedule, hands)

    assert starts() == expected
    hands.pass_(86_400)
    fill(schedule, hands)
    assert starts() == [*expected, utc(2026, 11, 25, 20)]


def test_a_clock_that_was_years_behind_books_no_years(channel: Channel, hands: air.Clock) -> None:
    schedule = news(channel)
    expected = starts()

    hands.step(-20 * 365 * 86_400)
    fill(schedule, hands)

    assert starts()[-3:] == expected
    assert len(starts()) < 7


def test_what_was_missed_by_a_wrong_clock_is_planned_again(channel: Channel, hands: air.Clock) -> None:
    news(channel)
    Booking.objects.filter(starts_at=utc(2026, 11, 22, 20)).update(state=states.BookingState.MISSED, reason="x")

    agenda.revive(now=hands.wall)

    booking = Booking.objects.get(starts_at=utc(2026, 11, 22, 20))
    assert (booking.state, booking.reason) == ("planned", "")
    assert log.recent(limit=1)[0].kind == "booking.planned"


def test_what_was_overslept_is_booked_so_that_it_can_be_missed(channel: Channel, hands: air.Clock) -> None:
    schedule = news(channel)

    hands.pass_(6 * 86_400)
    fill(schedule, hands)

    assert starts() == [utc(2026, 11, day, 20) for day in range(22, 31)]


def test_a_schedule_added_in_the_middle_of_an_airing_books_its_remainder(channel: Channel, hands: air.Clock) -> None:
    hands.go_to(utc(2026, 11, 22, 20, 10))

    news(channel)

    assert starts()[0] == utc(2026, 11, 22, 20)


def test_a_single_airing_is_booked_when_its_day_comes_near(channel: Channel, hands: air.Clock) -> None:
    schedule = news(channel, weekdays="once", date="2028-02-29", zone="UTC")
    assert starts() == []

    hands.go_to(utc(2028, 2, 28))
    fill(schedule, hands)

    assert starts() == [utc(2028, 2, 29, 21)]
    assert queries.schedule("news").next_at == utc(2028, 2, 29, 21)


def test_an_edit_moves_what_is_planned_and_leaves_what_is_running(channel: Channel, hands: air.Clock) -> None:
    schedule = news(channel)
    hands.go_to(utc(2026, 11, 22, 20, 5))
    running = Booking.objects.get(starts_at=utc(2026, 11, 22, 20))
    Booking.objects.filter(pk=running.pk).update(state=states.BookingState.RECORDING)

    services.change_schedule(schedule=schedule, start="21:03", name="Late News")

    assert starts() == [utc(2026, 11, 22, 20), utc(2026, 11, 23, 20, 3), utc(2026, 11, 24, 20, 3)]
    running.refresh_from_db()
    assert (running.title, running.ends_at) == ("News", utc(2026, 11, 22, 20, 30))
    assert set(Booking.objects.exclude(pk=running.pk).values_list("title", flat=True)) == {"Late News"}


def test_a_longer_duration_changes_planned_bookings_in_place_and_keeps_what_was_added(channel: Channel) -> None:
    schedule = news(channel)
    booking = Booking.objects.get(starts_at=utc(2026, 11, 23, 20))
    services.extend(booking=booking, by="10m")

    services.change_schedule(schedule=schedule, duration="1h")

    booking.refresh_from_db()
    assert booking.ends_at == utc(2026, 11, 23, 21, 10)
    assert Booking.objects.get(starts_at=utc(2026, 11, 24, 20)).ends_at == utc(2026, 11, 24, 21)


def test_switching_off_drops_what_is_planned_and_on_books_it_again(channel: Channel, hands: air.Clock) -> None:
    schedule = news(channel)
    expected = starts()

    schedule = services.set_enabled(schedule=schedule, enabled=False)
    assert starts() == []
    hands.pass_(60)
    services.set_enabled(schedule=schedule, enabled=True)

    assert starts() == expected


def test_removing_a_schedule_leaves_what_runs_and_what_was(channel: Channel, hands: air.Clock) -> None:
    schedule = news(channel)
    hands.go_to(utc(2026, 11, 22, 20, 5))
    Booking.objects.filter(starts_at=utc(2026, 11, 22, 20)).update(state=states.BookingState.RECORDING)

    services.remove_schedule(schedule=schedule)

    assert [(one.state, one.schedule_id) for one in Booking.objects.all()] == [("recording", None)]


def test_a_channel_is_held_by_open_bookings_and_let_go_by_closed_ones(channel: Channel) -> None:
    schedule = news(channel)
    with pytest.raises(library_errors.StillNeeded):
        library.remove_channel(channel=channel)
    Booking.objects.filter(starts_at=utc(2026, 11, 22, 20)).update(state=states.BookingState.RECORDING)
    services.remove_schedule(schedule=schedule)
    with pytest.raises(library_errors.StillNeeded):
        library.remove_channel(channel=channel)
    Booking.objects.update(state=states.BookingState.RECORDED)

    library.remove_channel(channel=channel)

    assert Booking.objects.get().channel is None
    assert queries.bookings()[0].channel == ""


def test_two_channels_may_have_a_schedule_of_one_name(channel: Channel) -> None:
    other = library.add_channel(name="La Dos", address="udp://239.1.2.4:5004")
    news(channel)
    second = news(other)

    with pytest.raises(recording_errors.Taken):
        news(channel, name="NEWS")
    assert second.slug == "news"
    with pytest.raises(recording_errors.UnknownSchedule, match="several"):
        queries.get_schedule("news")
    assert queries.get_schedule("la-dos/news") == second
    assert queries.get_schedule(second.pk) == second


@pytest.mark.parametrize("name", ["a/b", "../../etc", "x;rm -rf", "it's", 'say "hi"', "..", "ñandú", "日本"])
def test_odd_names_are_kept_and_their_slugs_are_tame(channel: Channel, name: str) -> None:
    schedule = news(channel, name=name)

    assert schedule.name == name
    assert all(c.isascii() and (c.isalnum() or c == "-") for c in schedule.slug)
    assert schedule.slug


@pytest.mark.parametrize(
    "bad",
    [
        {"name": "two\nlines"},
        {"name": "x" * 300},
        {"name": "  "},
        {"start": "99:99"},
        {"start": ""},
        {"duration": 0},
        {"duration": -5},
        {"duration": "8d"},
        {"duration": "a while"},
        {"weekdays": "moonday"},
        {"weekdays": 128},
        {"weekdays": 0},
        {"date": "2027-02-29"},
        {"until": "2026-11-01", "date": "2026-11-02"},
        {"until": "2020-01-01"},
        {"weekdays": 0, "date": "2020-01-01"},
        {"zone": "Mars/Olympus"},
        {"zone": "../../etc/passwd"},
        {"zone": "Europe"},
        {"zone": "x" * 300},
        {"zone": "UTC\n"},
        {"padding_before": -1},
        {"padding_after": "1d"},
        {"pipeline": "a b"},
        {"priority": 1000},
        {"tags": ["a\nb"]},
        {"tags": "abc"},
        {"colour": "red"},
        {"enabled": "yes"},
    ],
)
def test_bad_input_is_refused_in_one_sentence_and_leaves_nothing(channel: Channel, bad: dict[str, Any]) -> None:
    before = log.latest()

    with pytest.raises(errors.Invalid) as caught:
        news(channel, **bad)

    assert len(caught.value.message) < 250
    assert "\n" not in caught.value.message
    assert not Schedule.objects.exists()
    assert not Booking.objects.exists()
    assert log.latest() == before


def test_bad_input_changes_nothing(channel: Channel) -> None:
    schedule = news(channel)

    for bad in ({"start": "25:00"}, {"weekdays": 0}, {"name": ""}, {"until": "2020-01-01"}, {"zone": "Nowhere"}):
        with pytest.raises(errors.Invalid):
            services.change_schedule(schedule=schedule, **bad)  # type: ignore[arg-type]

    assert queries.schedule(schedule.pk).words == "Every day at 21:00 Europe/Madrid, for 30m"


def test_a_schedule_that_is_over_may_still_be_renamed(channel: Channel, hands: air.Clock) -> None:
    schedule = news(channel, weekdays="once", date="2026-11-22")
    hands.pass_(10 * 86_400)

    assert services.change_schedule(schedule=schedule, name="Old News").name == "Old News"


def test_a_schedule_without_any_zone_says_so(hands: air.Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nephos.recording.zones.of_machine", lambda: "")
    schedule = news(library.add_channel(name="X", address="udp://239.1.2.9:5004"))

    view = queries.schedule(schedule.pk)

    assert view.zone_in_force == "UTC"
    assert "UTC is taken" in view.warning


def test_an_interval_counts_from_the_day_it_was_added_and_keeps_to_it(channel: Channel, hands: air.Clock) -> None:
    made = services.add_schedule(name="Third", channel=channel, start="21:00", duration="1h", every="3 days")

    assert made.date == date(2026, 11, 22)
    assert [row.starts_at.day for row in made.bookings.all()] == [22]
    hands.pass_(2 * 86400)
    agenda.fill(made, now=hands.wall, station_zone="UTC")
    assert [row.starts_at.day for row in made.bookings.all()] == [22, 25]


def test_an_exception_takes_a_planned_airing_away_and_leaves_a_running_one(channel: Channel, hands: air.Clock) -> None:
    made = services.add_schedule(name="News", channel=channel, start="20:00", duration="1h", weekdays="daily")
    running = made.bookings.get(starts_at=hands.wall)
    Booking.objects.filter(pk=running.pk).update(state=states.BookingState.RECORDING)

    services.change_schedule(schedule=made, not_on=["2026-11-22", "2026-11-23"], also_on=["2026-11-24"])

    assert made.bookings.filter(pk=running.pk, state=states.BookingState.RECORDING).exists()
    assert [row.starts_at.day for row in made.bookings.filter(state=states.BookingState.PLANNED)] == [24]


def test_a_rule_of_the_standard_is_booked_and_can_be_exchanged(channel: Channel) -> None:
    made = services.add_schedule(
        name="Mondays", channel=channel, start="21:00", duration="1h", rule="FREQ=MONTHLY;BYDAY=4MO"
    )
    assert [row.starts_at.isoformat() for row in made.bookings.all()] == ["2026-11-23T20:00:00+00:00"]

    changed = services.change_schedule(schedule=made, weekdays="tue")

    assert (changed.recurrence, changed.weekdays) == ("", 2)
    assert [row.starts_at.day for row in changed.bookings.all()] == [24]
    with pytest.raises(errors.Invalid, match="twice"):
        services.change_schedule(schedule=changed, rule="FREQ=DAILY", weekdays="mon")


@pytest.mark.parametrize("night", [datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)])
def test_s7_half_past_two_in_madrid_is_booked_once_on_each_night_of_a_change(
    channel: Channel, hands: air.Clock, night: datetime
) -> None:
    """However the clock steps on the way, each airing is there once and has a name of its own."""
    hands.go_to(night - timedelta(days=2))
    made = services.add_schedule(name="Half past two", channel=channel, start="02:30", duration="1h", weekdays="daily")
    for step in (6 * 3600, 20 * 3600, -9 * 3600, 3600, 12 * 3600, -3600, 30 * 3600, 10 * 3600, -2 * 3600, 5 * 3600):
        hands.step(step)
        agenda.revive(now=hands.wall)
        agenda.fill(made, now=hands.wall, station_zone="UTC")

    starts = list(made.bookings.order_by("starts_at").values_list("starts_at", flat=True))
    around = [start for start in starts if abs(start - night - timedelta(hours=1)) < timedelta(days=1, hours=12)]
    assert len(around) == 3
    assert [later - sooner for sooner, later in itertools.pairwise(around)] == (
        [timedelta(hours=24), timedelta(hours=23)] if night.month == 3 else [timedelta(hours=24), timedelta(hours=25)]
    )
    stems = [naming.recording_stem("half-past-two", start) for start in starts]
    assert len(set(stems)) == len(stems)


def test_a_machine_that_slept_over_an_airing_books_it_once_as_missed_or_late(
    channel: Channel, hands: air.Clock
) -> None:
    made = services.add_schedule(name="Night", channel=channel, start="22:00", duration="2h", every="1 day")
    hands.pass_(3 * 3600)  # suspended: 23:00 in Madrid, in the middle of it
    agenda.fill(made, now=hands.wall, station_zone="UTC")
    hands.pass_(24 * 3600)
    agenda.fill(made, now=hands.wall, station_zone="UTC")
    agenda.fill(made, now=hands.wall - timedelta(hours=30), station_zone="UTC")

    starts = list(made.bookings.order_by("starts_at").values_list("starts_at", flat=True))
    assert starts == sorted(set(starts))
    assert [start.day for start in starts] == [22, 23, 24, 25]
