"""Every key of [recording] is taken up while the station runs: in the keeper's loops and in the recorder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from nephos.config import load, schema
from nephos.core import bootstrap
from nephos.library.models import Channel
from nephos.recording import admission, bookings, finaliser, forecast, plan, segments, services, space, states, sweep
from nephos.recording import errors as recording_errors
from tests.fakes import air
from tests.integration.recording import stage
from tests.support import virtual

pytestmark = pytest.mark.django_db(transaction=True)

Change = Callable[[str], None]


@pytest.fixture
def change(home: load.Loaded, monkeypatch: pytest.MonkeyPatch) -> Change:
    """Somebody edits the file."""
    monkeypatch.setattr(bootstrap, "loaded", lambda: home)

    def edit(line: str) -> None:
        home.home.config_file.write_text(f"[recording]\n{line}\n")

    return edit


def test_every_key_has_a_test_here() -> None:
    text = Path(__file__).read_text(encoding="utf-8")

    assert [key for key in schema.Recording.__struct_fields__ if f"{key} = " not in text] == []


def test_the_interface_is_in_the_next_plan(home: load.Loaded, channel: Channel, change: Change) -> None:
    stage.order(channel)
    planner = bookings.Planner(home)
    planner.step()
    change('interface = "eth7"')

    planner._plan_mono = 0
    planner.step()

    read = plan.read(home.home.plan_file)
    assert read is not None
    assert [one.interface for one in read.channels] == ["eth7"]


def test_the_pipeline_is_that_of_recordings_that_begin_then(
    home: load.Loaded, channel: Channel, hands: air.Clock, tape: air.Air, change: Change
) -> None:
    loop = bookings.Arrivals(home)
    loop.step()
    booking = stage.order(channel)
    tape.receive(stage.at(2), stage.at(8))
    change('pipeline = "mine"')
    hands.go_to(stage.at(8))

    loop.step()

    booking.refresh_from_db()
    assert booking.asset is not None
    assert booking.asset.pipeline == "mine"


def test_the_soft_floor_counts_at_the_next_order(
    channel: Channel, monkeypatch: pytest.MonkeyPatch, change: Change
) -> None:
    monkeypatch.setattr(space.files, "free_bytes", lambda _folder: 5000)
    change("soft_floor_bytes = 4000\nhard_floor_bytes = 1")
    services.record_now(channel=channel, duration=10)

    change("soft_floor_bytes = 6000\nhard_floor_bytes = 1")

    with pytest.raises(recording_errors.NoSpace):
        services.record_now(channel=channel, duration=10)


def test_the_hard_floor_stops_a_recording_at_the_next_look(
    home: load.Loaded,
    channel: Channel,
    hands: air.Clock,
    tape: air.Air,
    monkeypatch: pytest.MonkeyPatch,
    change: Change,
) -> None:
    monkeypatch.setattr(space.files, "free_bytes", lambda _folder: 5000)
    change("soft_floor_bytes = 0\nhard_floor_bytes = 1000")
    booking = stage.order(channel, seconds=60)
    tape.receive(stage.at(2), stage.at(10))
    hands.go_to(stage.at(10))
    bookings.Arrivals(home).step()
    guard = admission.Guard(home)
    guard.step()
    booking.refresh_from_db()
    assert not booking.cut_short

    change("soft_floor_bytes = 0\nhard_floor_bytes = 6000")
    guard.step()

    booking.refresh_from_db()
    assert booking.cut_short


def test_forecasts_take_the_network_and_the_rate_of_today(channel: Channel, change: Change) -> None:
    stage.order(channel, start=60)
    change("network_bits_per_second = 9000000\nassumed_bits_per_second = 8000000")
    assert forecast.conflicts() == []

    change("network_bits_per_second = 9000000\nassumed_bits_per_second = 10000000")

    assert len(forecast.conflicts()) == 1


def test_longer_segments_of_before_are_tidied_up_and_nothing_else(
    home: load.Loaded, channel: Channel, hands: air.Clock, tape: air.Air, change: Change
) -> None:
    change("segment_seconds = 60")
    tape.segment_seconds = 60
    stage.order(channel, start=5, seconds=20)
    later = stage.order(channel, start=25, seconds=75)
    tape.receive(stage.at(2), stage.at(58))
    stage.run(home, hands, 30)
    change("segment_seconds = 2")
    hands.go_to(stage.at(58))

    sweep.Sweeper(home).step()

    assert len(list(tape.folder.glob("*.ts"))) == 1
    tape.segment_seconds = 2
    tape.receive(stage.at(60), stage.at(104))
    stage.run(home, hands, 110)
    later.refresh_from_db()
    assert later.state == states.BookingState.RECORDED
    assert later.asset is not None
    assert stage.stream_of(home, later.asset).read_bytes() == tape.content(stage.at(25), stage.at(100))
    stage.tidy(home, hands)
    assert stage.left(tape) == []


def test_a_recording_is_ended_by_the_settings_of_then(
    home: load.Loaded,
    channel: Channel,
    hands: air.Clock,
    tape: air.Air,
    monkeypatch: pytest.MonkeyPatch,
    change: Change,
) -> None:
    loop = finaliser.Finaliser(home)
    first, second = stage.order(channel), stage.order(channel, seconds=600)
    tape.receive(stage.at(2), stage.at(28))
    hands.go_to(stage.at(28))
    monkeypatch.setattr(space.files, "free_bytes", lambda _folder: 200_000)
    change("hard_floor_bytes = 200000\nsoft_floor_bytes = 0")
    air.beat(home.home.run, hands.wall, bookings=[second.pk])
    bookings.Arrivals(home).step()
    loop.step()
    first.refresh_from_db()
    assert first.state == states.BookingState.RECORDING  # its segments wait: another one is on the air

    change("hard_floor_bytes = 1\nsoft_floor_bytes = 0")
    hands.pass_(10)
    air.beat(home.home.run, hands.wall, bookings=[second.pk])
    loop.step()

    first.refresh_from_db()
    assert first.state == states.BookingState.RECORDED


# --- the recorder ----------------------------------------------------------------------------------------------------


@pytest.fixture
def world(home: load.Loaded, monkeypatch: pytest.MonkeyPatch) -> virtual.World:
    return virtual.World(home, monkeypatch)


def names(world: virtual.World) -> list[str]:
    place = segments.folder(world.loaded.home.recordings, "one")
    return [one.path.stem[-7:-1] for one in segments.list_segments(place)]


@pytest.mark.parametrize("restarts", [False, True])
def test_segment_seconds_count_from_the_next_segment(world: virtual.World, change: Change, *, restarts: bool) -> None:
    world.order(world.window(1, 0, 600))
    world.start()
    world.pass_(15)
    change("segment_seconds = 60")
    if restarts:
        world.kill()
        world.start()
    world.pass_(60)
    change("segment_seconds = 5")
    world.pass_(60)

    # 08:00:10 is not taken up again by the longer ones, though that would be their place; nor 08:01:00 by 08:01:05.
    assert names(world)[:6] == [
        "080000",
        "080010",
        *(["080015"] if restarts else ["080020"]),
        "080100",
        "080200",
        "080205",
    ]


def test_pre_roll_seconds_count_for_windows_that_open_then(world: virtual.World, change: Change) -> None:
    world.order(world.window(1, 20, 20))
    world.start()
    world.pass_(5)
    change("pre_roll_seconds = 10")

    world.pass_(6.5)

    assert [one.booking for one in world.open] == [1]


def test_the_recorders_own_floor_follows_the_hard_floor(world: virtual.World, change: Change) -> None:
    world.order(world.window(1, 0, 60))
    world.start()
    world.pass_(3)
    assert world.recorder is not None
    assert world.recorder._desk.has_room

    change(f"hard_floor_bytes = {1 << 62}")
    world.pass_(3)

    assert not world.recorder._desk.has_room


def test_another_engine_opens_the_source_anew_and_another_buffer_does_not(world: virtual.World, change: Change) -> None:
    world.order(world.window(1, 0, 60))
    world.start()
    world.pass_(3)
    [before] = world.sender.listeners

    change("receive_buffer_bytes = 1000000")
    world.pass_(2)
    assert world.sender.listeners == [before]
    change('engine = "multicat"')
    world.pass_(2)

    assert world.sender.listeners != [before]


def test_a_broken_change_leaves_the_old_settings(world: virtual.World, change: Change) -> None:
    world.order(world.window(1, 20, 20))
    world.start()
    world.pass_(3)
    change("pre_roll_seconds = 'ten'")
    world.pass_(8)

    assert world.open == []
