"""Rolling buffers: what aired can be recorded afterwards, and no more is kept than was asked for."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest

from nephos.config.load import Loaded
from nephos.core import bootstrap
from nephos.lib import errors
from nephos.library import services as library
from nephos.library.models import Asset, Channel
from nephos.recording import agenda, bookings, plan, segments, services, states, sweep
from nephos.recording import errors as recording_errors
from tests.fakes import air
from tests.integration.recording import stage

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def buffered(channel: Channel, home: Loaded, hands: air.Clock, monkeypatch: pytest.MonkeyPatch) -> Channel:
    """The channel with five minutes kept, since a while."""
    monkeypatch.setattr(bootstrap, "loaded", lambda: home)
    hands.pass_(-3600)
    library.change_channel(channel=channel, buffer_seconds=300)
    hands.pass_(3600)
    return channel


def test_a_channel_with_a_buffer_is_in_the_plan_without_any_booking(home: Loaded, buffered: Channel) -> None:
    bookings.write_plan(home, now=stage.NOON)

    found = plan.read(home.home.plan_file)

    assert found is not None
    assert [(one.slug, one.windows, one.buffer_seconds) for one in found.channels] == [("la-uno", (), 300)]
    library.change_channel(channel=buffered, buffer_seconds=0)
    bookings.write_plan(home, now=stage.NOON)
    assert plan.parse(plan.document(bookings.build_plan(home, now=stage.NOON))).channels == ()


def test_a_programme_is_recorded_after_it_aired(
    home: Loaded, buffered: Channel, hands: air.Clock, tape: air.Air
) -> None:
    tape.receive(stage.at(-100), stage.at(0))

    booking = services.record_now(channel=buffered, duration="30s", starts_at="-1m", title="Just now")
    stage.run(home, hands, 3)

    booking.refresh_from_db()
    asset = Asset.objects.get()
    assert booking.state == states.BookingState.RECORDED
    assert asset.recording.verdict == "complete"
    assert stage.stream_of(home, asset).read_bytes() == tape.content(stage.at(-60), stage.at(-30))


def test_a_late_start_takes_its_head_from_the_buffer(
    home: Loaded, buffered: Channel, hands: air.Clock, tape: air.Air
) -> None:
    tape.receive(stage.at(-100), stage.at(20))

    services.record_now(channel=buffered, duration="50s", starts_at=stage.at(-30))
    stage.run(home, hands, 23)

    asset = Asset.objects.get()
    assert asset.recording.gaps == []
    assert stage.stream_of(home, asset).read_bytes() == tape.content(stage.at(-30), stage.at(20))


def test_a_single_airing_of_the_past_can_be_scheduled_while_it_is_kept(
    home: Loaded, buffered: Channel, hands: air.Clock, tape: air.Air
) -> None:
    tape.receive(stage.at(-240), stage.at(0))

    made = services.add_schedule(
        name="Earlier", channel=buffered, start="19:57", date="2026-11-22", duration="1m", padding_before="30s"
    )
    stage.run(home, hands, 3)
    agenda.fill(made, now=hands.wall, station_zone="UTC")

    assert [row.state for row in made.bookings.all()] == [states.BookingState.RECORDED]
    asset = Asset.objects.get()
    assert stage.stream_of(home, asset).read_bytes() == tape.content(stage.at(-210), stage.at(-120))


def test_what_is_not_kept_cannot_be_recorded(buffered: Channel, tape: air.Air) -> None:
    with pytest.raises(recording_errors.AlreadyOver, match="nothing is kept"):
        services.record_now(channel=buffered, duration="30s", starts_at="-1m")
    with pytest.raises(recording_errors.AlreadyOver):
        services.add_schedule(name="Old", channel=buffered, start="18:00", date="2026-11-22", duration="1m")


def test_no_more_is_kept_than_was_asked_for(home: Loaded, buffered: Channel, hands: air.Clock, tape: air.Air) -> None:
    tape.receive(stage.at(-3900), stage.at(-3880))  # of before there was a buffer
    tape.receive(stage.at(-400), stage.at(0))

    sweep.Sweeper(home).step()

    kept = [segment.start for segment in segments.list_segments(tape.folder)]
    assert kept[:2] == [stage.at(-3900), stage.at(-3890)]
    assert stage.at(-330) <= kept[2] <= stage.at(-310)
    assert len(kept) == 2 + round((stage.at(0) - kept[2]) / timedelta(seconds=10))


def test_an_open_booking_holds_what_leaves_the_buffer(
    home: Loaded, buffered: Channel, hands: air.Clock, tape: air.Air
) -> None:
    tape.receive(stage.at(-300), stage.at(0))
    services.record_now(channel=buffered, duration="20m", starts_at=stage.at(-300))
    hands.pass_(600)

    sweep.Sweeper(home).step()

    assert segments.list_segments(tape.folder)[0].start == stage.at(-300)


def test_a_finished_recording_leaves_the_buffer_alone(
    home: Loaded, buffered: Channel, hands: air.Clock, tape: air.Air
) -> None:
    tape.receive(stage.at(-100), stage.at(30))
    services.record_now(channel=buffered, duration="20s", starts_at=stage.at(-60))
    stage.run(home, hands, 33)

    stage.tidy(home, hands)

    assert segments.list_segments(tape.folder)[0].start == stage.at(-100)
    library.change_channel(channel=buffered, buffer_seconds=0)
    stage.tidy(home, hands)
    assert segments.list_segments(tape.folder) == []


def test_a_long_buffer_costs_little_to_look_through(home: Loaded, tape: air.Air) -> None:
    tape.folder.mkdir(parents=True)
    for number in range(8640):
        name = segments.name(int(stage.at(0).timestamp()) - number * 10)
        (tape.folder / name).touch()
        (tape.folder / name).with_suffix(".jsonl").touch()
    began = time.process_time()

    found = segments.list_segments(tape.folder, after=stage.at(-100), before=stage.at(0))

    assert [one.start for one in found] == [stage.at(-100 + 10 * number) for number in range(11)]
    assert time.process_time() - began < 0.2


@pytest.mark.parametrize("seconds", [-1, 8 * 86400, True, 1.5])
def test_a_buffer_has_its_limits(channel: Channel, seconds: int) -> None:
    with pytest.raises(errors.Invalid):
        library.change_channel(channel=channel, buffer_seconds=seconds)
