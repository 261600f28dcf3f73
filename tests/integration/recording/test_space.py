"""A disk that runs full: who may begin, who is stopped first, and what is shown ahead."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from nephos.config import load
from nephos.config.load import Loaded
from nephos.core import bootstrap
from nephos.library import services as library
from nephos.library.models import Asset, Channel
from nephos.recording import admission, bookings, errors, forecast, segments, services, space, states, sweep
from nephos.recording.models import Booking
from tests.fakes import air
from tests.integration.recording import stage

pytestmark = pytest.mark.django_db(transaction=True)

MIB = 1024**2


class Disk:
    """As much as the test says is free."""

    free = 200_000 * MIB


@pytest.fixture
def disk(home: Loaded, monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    made = Disk()
    home.home.config_file.write_text(
        f"[recording]\nsoft_floor_bytes = {1000 * MIB}\nhard_floor_bytes = {100 * MIB}\n"
        "network_bits_per_second = 25000000\n"
    )
    loaded = load.load(home.home.root, environment={})
    monkeypatch.setattr(bootstrap, "loaded", lambda: loaded)
    monkeypatch.setattr(space.files, "free_bytes", lambda _folder: made.free)
    return made


def loaded() -> Loaded:
    return bootstrap.loaded()


def schedule(channel: Channel, name: str, **more: Any) -> Booking:
    made = services.add_schedule(name=name, channel=channel, start="20:00", date="2026-11-22", duration="1h", **more)
    return made.bookings.get()


def planned(home: Loaded) -> set[int]:
    found = bookings.build_plan(home, now=stage.at(1))
    return {window.booking for channel in found.channels for window in channel.windows}


def test_below_the_soft_floor_nothing_is_begun_by_hand(disk: Disk, channel: Channel) -> None:
    disk.free = 900 * MIB

    with pytest.raises(errors.NoSpace, match="900 MiB are free"):
        services.record_now(channel=channel, duration="1m")

    assert services.record_now(channel=channel, duration="1m", starts_at=stage.at(7200)).pk


def test_low_priority_is_held_back_with_a_reason_until_there_is_space_again(
    disk: Disk, channel: Channel, hands: air.Clock
) -> None:
    low, usual = schedule(channel, "Low", priority=-5), schedule(channel, "Usual")
    disk.free = 900 * MIB

    assert planned(loaded()) == {usual.pk}
    low.refresh_from_db()
    assert low.reason.startswith("Held back: 900 MiB are free")

    disk.free = 2000 * MIB
    assert planned(loaded()) == {usual.pk, low.pk}
    low.refresh_from_db()
    assert low.reason == ""


def test_what_was_held_back_to_its_end_is_missed_for_that_reason(
    disk: Disk, channel: Channel, hands: air.Clock
) -> None:
    low = schedule(channel, "Low", priority=-5)
    disk.free = 900 * MIB
    planned(loaded())

    stage.run(loaded(), hands, 3700)

    low.refresh_from_db()
    assert low.state == states.BookingState.MISSED
    assert low.reason.startswith("Held back: 900 MiB are free")


def test_what_runs_goes_on_below_the_soft_floor(disk: Disk, channel: Channel) -> None:
    low = schedule(channel, "Low", priority=-5)
    Booking.objects.filter(pk=low.pk).update(state=states.BookingState.RECORDING)
    disk.free = 900 * MIB

    admission.Guard(loaded()).step()

    assert planned(loaded()) == {low.pk}


def test_below_the_hard_floor_the_least_important_stops_first_and_the_others_go_on(
    disk: Disk, channel: Channel, hands: air.Clock, tape: air.Air
) -> None:
    low, usual = schedule(channel, "Low", priority=-5), schedule(channel, "Usual")
    tape.recordings = loaded().home.recordings
    tape.receive(stage.at(0), stage.at(30))
    stage.run(loaded(), hands, 30)
    guard = admission.Guard(loaded())
    disk.free = 90 * MIB

    guard.step()
    guard.step()
    disk.free = 200 * MIB  # for the file
    stage.run(loaded(), hands, 40)

    low.refresh_from_db()
    usual.refresh_from_db()
    assert (low.state, usual.state) == (states.BookingState.RECORDED, states.BookingState.RECORDING)
    assert low.to_at == stage.at(30)
    recording = Asset.objects.get(pk=low.asset_id).recording
    assert recording.verdict == "no_space"
    assert recording.reason.startswith("Stopped after 30 s, the disk was almost full.")
    assert recording.gaps[-1]["cause"] == "disk full or too slow"
    assert recording.score < 5

    disk.free = 70 * MIB  # the rest of the space is for the other, until three quarters of the floor
    guard.step()
    usual.refresh_from_db()
    assert usual.cut_short


def test_a_recording_is_not_put_together_in_the_space_of_one_that_runs(
    disk: Disk, channel: Channel, hands: air.Clock, tape: air.Air
) -> None:
    tape.recordings = loaded().home.recordings
    short = stage.order(channel, 5, 20)
    long = stage.order(channel, 5, 120)
    tape.receive(stage.at(2), stage.at(80))
    disk.free = 100 * MIB + 1000

    stage.run(loaded(), hands, 80)
    short.refresh_from_db()
    assert short.state == states.BookingState.RECORDING

    disk.free = 200 * MIB
    stage.run(loaded(), hands, 82)
    short.refresh_from_db()
    long.refresh_from_db()
    assert (short.state, long.state) == (states.BookingState.RECORDED, states.BookingState.RECORDING)


def test_a_buffer_never_costs_a_recording_its_space(
    disk: Disk, channel: Channel, hands: air.Clock, tape: air.Air
) -> None:
    tape.recordings = loaded().home.recordings
    library.change_channel(channel=channel, buffer_seconds=3600)
    tape.receive(stage.at(0), stage.at(100))
    hands.go_to(stage.at(130))
    sweep.Sweeper(loaded()).step()
    assert [one.buffer_seconds for one in bookings.build_plan(loaded(), now=hands.wall).channels] == [3600]
    assert len(segments.list_segments(tape.folder)) == 10

    disk.free = 900 * MIB
    sweep.Sweeper(loaded()).step()

    assert bookings.build_plan(loaded(), now=hands.wall).channels == ()
    assert segments.list_segments(tape.folder) == []


def test_conflicts_are_shown_before_they_happen(disk: Disk, channel: Channel) -> None:
    other = library.add_channel(name="Dos", address="udp://239.1.2.4:5004", zone="Europe/Madrid")
    library.note_bit_rate(channel=channel, bits_per_second=18_000_000)
    schedule(channel, "One")
    schedule(other, "Two")
    services.add_schedule(name="Long", channel=other, start="22:00", duration="3h", weekdays="daily")

    [network] = forecast.conflicts()
    disk.free = 30_000 * MIB
    found = forecast.conflicts()

    assert (network.kind, network.titles, network.wanted) == ("network", ["One", "Two"], 28_000_000)
    assert [one.kind for one in found] == ["network", "disk"]
    assert found[1].titles == ["Long"]
    assert found[1].starts_at > stage.at(0)


def test_what_was_measured_is_kept_for_forecasts(
    home: Loaded, channel: Channel, hands: air.Clock, tape: air.Air
) -> None:
    stage.order(channel)
    tape.receive(stage.at(2), stage.at(28))
    stage.run(home, hands, 70)

    channel.refresh_from_db()
    assert channel.bits_per_second == air.RATE * 8
