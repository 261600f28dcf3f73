"""The keeper's side: the plan file, and what the disk says of a booking."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from nephos.config.load import Loaded
from nephos.events import log
from nephos.library import services as library
from nephos.library.models import Asset, Channel
from nephos.recording import bookings, plan, services, states
from nephos.recording.models import Booking
from tests.fakes import air

pytestmark = pytest.mark.django_db


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


def document(home: Loaded) -> dict[str, Any]:
    raw: dict[str, Any] = json.loads(home.home.plan_file.read_text())
    return raw


def windows(home: Loaded) -> list[tuple[str, str, str]]:
    return [
        (channel["slug"], window["start"], window["end"])
        for channel in document(home)["channels"]
        for window in channel["windows"]
    ]


def test_the_plan_holds_what_is_booked_for_the_next_two_days(home: Loaded, channel: Channel, hands: air.Clock) -> None:
    library.change_channel(channel=channel, address="udp://239.1.2.3:5004?interface=lo")
    services.add_schedule(
        name="News", channel=channel, start="21:00", duration="30m", weekdays="daily", padding_before=60
    )

    bookings.Planner(home).step()

    assert windows(home) == [
        ("la-uno", "2026-11-22T19:59:00.000Z", "2026-11-22T20:30:00.000Z"),
        ("la-uno", "2026-11-23T19:59:00.000Z", "2026-11-23T20:30:00.000Z"),
    ]
    [entry] = document(home)["channels"]
    assert (entry["name"], entry["url"]) == ("La Uno", "udp://239.1.2.3:5004?interface=lo")
    found = plan.read(home.home.plan_file)
    assert found is not None
    assert not found.problems


def test_an_empty_plan_is_written_too(home: Loaded, channel: Channel) -> None:
    bookings.Planner(home).step()

    assert document(home)["channels"] == []


def test_the_plan_is_written_only_if_its_content_changed(home: Loaded, channel: Channel, hands: air.Clock) -> None:
    planner = bookings.Planner(home)
    services.record_now(channel=channel, duration="1h")
    planner.step()
    before = home.home.plan_file.stat()

    for _ in range(8):
        hands.pass_(0.25)
        planner.step()
    assert home.home.plan_file.stat().st_mtime_ns == before.st_mtime_ns

    services.record_now(channel=channel, duration="2h", title="Another")
    hands.pass_(0.25)
    planner.step()

    assert len(windows(home)) == 2


def test_every_kind_of_change_is_in_the_plan_at_the_next_step(home: Loaded, channel: Channel, hands: air.Clock) -> None:
    planner = bookings.Planner(home)
    planner.step()

    def step() -> list[tuple[str, str, str]]:
        hands.pass_(0.25)
        planner.step()
        return windows(home)

    booking = services.record_now(channel=channel, duration="1h", starts_at=utc(2026, 11, 22, 21))
    assert step() == [("la-uno", "2026-11-22T21:00:00.000Z", "2026-11-22T22:00:00.000Z")]
    services.extend(booking=booking, by="10m")
    assert step() == [("la-uno", "2026-11-22T21:00:00.000Z", "2026-11-22T22:10:00.000Z")]
    library.change_channel(channel=channel, address="rtp://239.1.2.3:5006")
    step()
    assert document(home)["channels"][0]["url"] == "rtp://239.1.2.3:5006"
    services.stop(booking=booking)
    assert step() == []
    schedule = services.add_schedule(name="News", channel=channel, start="21:00", duration="30m", weekdays="daily")
    assert len(step()) == 2
    services.set_enabled(schedule=schedule, enabled=False)
    assert step() == []


def test_a_new_zone_of_the_channel_moves_its_bookings(home: Loaded, channel: Channel, hands: air.Clock) -> None:
    services.add_schedule(name="News", channel=channel, start="21:00", duration="30m", weekdays="daily")
    planner = bookings.Planner(home)
    planner.step()

    library.change_channel(channel=channel, zone="Europe/London")
    planner.step()

    assert windows(home)[0][1] == "2026-11-22T21:00:00.000Z"
    assert set(Booking.objects.values_list("starts_at__hour", flat=True)) == {21}


def test_time_alone_brings_new_bookings_and_takes_old_windows_out(
    home: Loaded, channel: Channel, hands: air.Clock
) -> None:
    services.add_schedule(name="News", channel=channel, start="21:00", duration="30m", weekdays="daily")
    planner = bookings.Planner(home)
    planner.step()

    hands.pass_(30 * 3600)
    planner.step()

    assert [start for _, start, _ in windows(home)] == ["2026-11-24T20:00:00.000Z", "2026-11-25T20:00:00.000Z"]


def test_a_stepped_wall_clock_is_noticed_at_once(home: Loaded, channel: Channel, hands: air.Clock) -> None:
    services.add_schedule(name="News", channel=channel, start="21:00", duration="30m", weekdays="daily")
    planner = bookings.Planner(home)
    planner.step()
    hands.step(7 * 86_400)
    hands.pass_(0.25)

    planner.step()

    assert [start for _, start, _ in windows(home)] == ["2026-11-29T20:00:00.000Z", "2026-11-30T20:00:00.000Z"]


def test_a_window_that_runs_already_is_planned_for_its_remainder(
    home: Loaded, channel: Channel, hands: air.Clock
) -> None:
    services.add_schedule(name="News", channel=channel, start="21:00", duration="30m", weekdays="daily")
    hands.go_to(utc(2026, 11, 22, 20, 10))

    bookings.Planner(home).step()

    assert windows(home)[0][1:] == ("2026-11-22T20:00:00.000Z", "2026-11-22T20:30:00.000Z")


def test_a_channel_that_is_marked_down_is_still_tried(home: Loaded, channel: Channel) -> None:
    from nephos.library.states import ChannelStatus

    library.note_channel_status(channel=channel, status=ChannelStatus.DOWN)
    services.record_now(channel=channel, duration="1h")

    bookings.Planner(home).step()

    assert len(windows(home)) == 1


def test_a_recording_stays_in_the_plan_a_little_longer_than_its_window(
    home: Loaded, channel: Channel, hands: air.Clock
) -> None:
    planner = bookings.Planner(home)
    services.record_now(channel=channel, duration="20s")
    planner.step()
    hands.pass_(23)
    planner.step()
    assert len(windows(home)) == 1

    hands.pass_(10)
    planner.step()

    assert windows(home) == []


def test_segments_on_disk_begin_a_recording(home: Loaded, channel: Channel, hands: air.Clock) -> None:
    loop = bookings.Arrivals(home)
    booking = services.record_now(channel=channel, duration="20s")
    loop.step()
    booking.refresh_from_db()
    assert booking.state == states.BookingState.PLANNED

    hands.pass_(3)
    air.Air(home.home.recordings, "la-uno").receive(booking.from_at, booking.from_at + timedelta(seconds=2))
    loop.step()
    loop.step()

    booking.refresh_from_db()
    asset = Asset.objects.get()
    assert (booking.state, booking.asset) == (states.BookingState.RECORDING, asset)
    assert (asset.state, asset.stem, asset.folder, asset.pipeline) == (
        "arriving",
        "adhoc_2026-11-22_190001Z",
        "la-uno/adhoc_2026-11-22_190001Z",
        "archive",
    )
    assert [entry.kind for entry in log.recent(limit=2)] == ["booking.started", "asset.begun"]


def test_pre_roll_alone_does_not_begin_a_recording(home: Loaded, channel: Channel, hands: air.Clock) -> None:
    booking = services.record_now(channel=channel, duration="20s", starts_at=utc(2026, 11, 22, 19, 0, 5))
    hands.pass_(5.5)
    air.Air(home.home.recordings, "la-uno").receive(utc(2026, 11, 22, 19, 0, 2), utc(2026, 11, 22, 19, 0, 5))

    bookings.Arrivals(home).step()

    booking.refresh_from_db()
    assert booking.state == states.BookingState.PLANNED


def test_a_schedule_gives_its_pipeline_and_tags_to_the_asset(home: Loaded, channel: Channel, hands: air.Clock) -> None:
    services.add_schedule(
        name="El Telediario",
        channel=channel,
        start="20:00",
        duration="30m",
        weekdays="daily",
        pipeline="none",
        tags=["news"],
    )
    hands.pass_(5)
    air.Air(home.home.recordings, "la-uno").receive(utc(2026, 11, 22, 19), utc(2026, 11, 22, 19, 0, 4))

    bookings.Arrivals(home).step()

    asset = Asset.objects.get()
    assert (asset.pipeline, asset.tags, asset.stem) == ("", ["news"], "el-telediario_2026-11-22_190000Z")


def test_a_window_in_which_nobody_listened_is_missed_with_a_reason(
    home: Loaded, channel: Channel, hands: air.Clock
) -> None:
    booking = services.record_now(channel=channel, duration="20s")
    loop = bookings.Arrivals(home)
    hands.pass_(22)
    loop.step()
    booking.refresh_from_db()
    assert booking.state == states.BookingState.PLANNED

    hands.pass_(3)
    loop.step()

    booking.refresh_from_db()
    assert (booking.state, booking.reason) == (states.BookingState.MISSED, "The recorder has never run.")
    assert not Asset.objects.exists()
    assert log.recent(limit=1)[0].kind == "booking.missed"


def test_a_window_is_not_missed_while_the_recorder_may_still_write(
    home: Loaded, channel: Channel, hands: air.Clock
) -> None:
    booking = services.record_now(channel=channel, duration="20s")
    loop = bookings.Arrivals(home)
    hands.pass_(30)
    air.beat(home.home.run, hands.wall, bookings=[booking.pk])

    loop.step()
    booking.refresh_from_db()
    assert booking.state == states.BookingState.PLANNED

    hands.pass_(11)  # the beat stands still: the recorder is dead
    loop.step()

    booking.refresh_from_db()
    assert booking.state == states.BookingState.MISSED
