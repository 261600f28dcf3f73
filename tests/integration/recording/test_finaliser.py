"""From segments on disk to one file, one manifest and one verdict."""

from __future__ import annotations

import hashlib
import time
from datetime import timedelta
from typing import Any

import pytest

from nephos.config.load import Loaded
from nephos.core import bootstrap
from nephos.events import log
from nephos.lib import clock, files
from nephos.library import services as library
from nephos.library.models import Asset, Channel, MediaFile, Recording
from nephos.recording import bookings, finaliser, services, states, sweep, windows
from tests.fakes import air
from tests.integration.recording import stage

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_whole_recording_becomes_one_file_with_a_manifest(
    home: Loaded, channel: Channel, hands: air.Clock, tape: air.Air
) -> None:
    booking = stage.order(channel)
    tape.receive(stage.at(2), stage.at(26))

    stage.run(home, hands, 28)

    booking.refresh_from_db()
    asset = Asset.objects.get()
    content = stage.stream_of(home, asset).read_bytes()
    assert content == tape.content(stage.at(5), stage.at(25))
    assert (booking.state, booking.asset) == (states.BookingState.RECORDED, asset)
    assert asset.state == "arrived"
    recording = Recording.objects.get()
    assert (recording.verdict, recording.score, recording.gaps) == ("complete", 100, [])
    assert (recording.recorded_from, recording.recorded_to) == (stage.at(5.01), stage.at(24.99))
    assert recording.counters["bytes"] == len(content)
    manifest = stage.manifest_of(home, asset)
    assert manifest["sha256"] == hashlib.sha256(content).hexdigest()
    assert [piece["bytes"] for piece in manifest["segments"]] == [5 * air.RATE, 10 * air.RATE, 5 * air.RATE]
    for piece in manifest["segments"]:
        part = content[piece["offset"] : piece["offset"] + piece["bytes"]]
        assert hashlib.sha256(part).hexdigest() == piece["sha256"]
    assert manifest["seconds"][1] == ["2026-11-22T19:00:06.000Z", air.RATE, air.RATE, 0]
    assert manifest["starts_at"] == "2026-11-22T19:00:05.000Z"
    assert (manifest["channel"], manifest["schedule"], manifest["url"]) == ("La Uno", "", "udp://239.1.2.3:5004")
    assert stage.hidden(home) == []


def test_both_files_are_registered_before_the_asset_has_arrived(
    home: Loaded, channel: Channel, hands: air.Clock, tape: air.Air, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.order(channel)
    tape.receive(stage.at(2), stage.at(26))
    seen: list[str] = []
    real = library.finish_recording

    def look(**values: Any) -> None:
        seen.extend(MediaFile.objects.values_list("kind", flat=True))
        real(**values)

    monkeypatch.setattr(library, "finish_recording", look)

    stage.run(home, hands, 28)

    assert seen == ["recording", "recording-manifest"]
    for row in MediaFile.objects.all():
        path = home.home.recordings / row.path
        assert (row.place, row.size_bytes, row.sha256) == ("recordings", path.stat().st_size, files.sha256(path))
    assert [entry.kind for entry in log.recent(limit=2)] == ["booking.finished", "asset.arrived"]


def test_doing_it_again_changes_nothing(home: Loaded, channel: Channel, hands: air.Clock, tape: air.Air) -> None:
    stage.order(channel)
    tape.receive(stage.at(2), stage.at(26))
    stage.run(home, hands, 28)
    before = (log.latest(), sorted(home.home.recordings.rglob("*")))

    stage.run(home, hands, 40)

    assert (log.latest(), sorted(home.home.recordings.rglob("*"))) == before


def test_a_killed_recorder_leaves_one_recording_with_one_gap(
    home: Loaded, channel: Channel, hands: air.Clock, tape: air.Air
) -> None:
    stage.order(channel)
    tape.receive(stage.at(2), stage.at(12))
    tape.killed(stage.at(12.5), back_at=stage.at(13.3), until=stage.at(26))

    stage.run(home, hands, 28)

    asset, recording = Asset.objects.get(), Recording.objects.get()
    assert stage.stream_of(home, asset).read_bytes() == tape.content(stage.at(5), stage.at(25))
    assert recording.verdict == "complete_with_gaps"
    assert recording.gaps == [
        {
            "start": "2026-11-22T19:00:12.500Z",
            "end": "2026-11-22T19:00:13.320Z",
            "seconds": 0.82,
            "cause": "the recorder was not running",
        }
    ]
    assert recording.reason == "1 gap of 0.8 s: the recorder was not running for 0.8 s at 19:00:12 UTC."


def test_a_kill_over_a_segment_border_leaves_one_gap_too(
    home: Loaded, channel: Channel, hands: air.Clock, tape: air.Air
) -> None:
    stage.order(channel)
    tape.receive(stage.at(2), stage.at(19))
    tape.killed(stage.at(19.8), back_at=stage.at(23.5), until=stage.at(26))

    stage.run(home, hands, 28)

    recording = Recording.objects.get()
    assert [(gap["seconds"], gap["cause"]) for gap in recording.gaps] == [(3.72, "the recorder was not running")]
    assert stage.stream_of(home, Asset.objects.get()).read_bytes() == tape.content(stage.at(5), stage.at(25))


def test_a_late_start_records_the_remainder(home: Loaded, channel: Channel, hands: air.Clock, tape: air.Air) -> None:
    stage.order(channel)
    tape.receive(stage.at(9), stage.at(26))

    stage.run(home, hands, 28)

    recording = Recording.objects.get()
    assert recording.verdict == "complete_with_gaps"
    assert [(gap["seconds"], gap["cause"]) for gap in recording.gaps] == [(4.01, "started late")]
    assert stage.stream_of(home, Asset.objects.get()).stat().st_size == 16 * air.RATE


def test_a_receiver_that_heard_nothing_makes_an_empty_recording(
    home: Loaded, channel: Channel, hands: air.Clock, tape: air.Air
) -> None:
    booking = stage.order(channel)
    tape.receive(stage.at(2), stage.at(26), silent=True)

    stage.run(home, hands, 28)
    stage.tidy(home, hands)

    booking.refresh_from_db()
    asset, recording = Asset.objects.get(), Recording.objects.get()
    assert (booking.state, asset.state) == (states.BookingState.RECORDED, "empty")
    assert (recording.verdict, recording.score) == ("empty", 0)
    assert recording.reason == "The receiver listened, but nothing came: no signal."
    assert not stage.stream_of(home, asset).exists()
    assert not MediaFile.objects.exists()
    assert stage.left(tape) == []


def test_two_bookings_share_what_lies_in_both(home: Loaded, channel: Channel, hands: air.Clock, tape: air.Air) -> None:
    first, second = stage.order(channel, 5, 20), stage.order(channel, 15, 30)
    tape.receive(stage.at(2), stage.at(26))
    stage.run(home, hands, 28)
    tidy_clock = hands.wall
    sweep.Sweeper(home).step()
    assert [path.name for path in tape.folder.glob("*.ts")]
    hands.wall = tidy_clock
    tape.receive(stage.at(26), stage.at(46))
    stage.run(home, hands, 48)

    first.refresh_from_db()
    second.refresh_from_db()
    assert first.asset is not None
    assert second.asset is not None
    assert stage.stream_of(home, first.asset).read_bytes() == tape.content(stage.at(5), stage.at(25))
    assert stage.stream_of(home, second.asset).read_bytes() == tape.content(stage.at(15), stage.at(45))
    stage.tidy(home, hands)
    assert stage.left(tape) == []


def test_back_to_back_bookings_share_no_byte(home: Loaded, channel: Channel, hands: air.Clock, tape: air.Air) -> None:
    one, two = stage.order(channel, 5, 12), stage.order(channel, 17, 12)
    tape.receive(stage.at(2), stage.at(30))

    stage.run(home, hands, 32)

    one.refresh_from_db()
    two.refresh_from_db()
    assert one.asset is not None
    assert two.asset is not None
    both = stage.stream_of(home, one.asset).read_bytes() + stage.stream_of(home, two.asset).read_bytes()
    assert both == tape.content(stage.at(5), stage.at(29))


def test_a_recording_is_not_ended_while_the_recorder_is_on_it(
    home: Loaded, channel: Channel, hands: air.Clock, tape: air.Air
) -> None:
    booking = stage.order(channel)
    tape.receive(stage.at(2), stage.at(26))
    loop = finaliser.Finaliser(home)
    hands.go_to(stage.at(28))
    bookings.Arrivals(home).step()

    air.beat(home.home.run, stage.at(24), bookings=[])  # from before the end
    loop.step()
    air.beat(home.home.run, hands.wall, bookings=[booking.pk])
    loop.step()
    booking.refresh_from_db()
    assert booking.state == states.BookingState.RECORDING

    hands.pass_(11)
    loop.step()

    booking.refresh_from_db()
    assert booking.state == states.BookingState.RECORDED


def test_a_stepped_clock_does_not_end_a_recording_that_goes_on(
    home: Loaded, channel: Channel, hands: air.Clock, tape: air.Air
) -> None:
    booking = stage.order(channel)
    tape.receive(stage.at(2), stage.at(10))
    loop = finaliser.Finaliser(home)
    hands.go_to(stage.at(10))
    air.beat(home.home.run, hands.wall, bookings=[booking.pk])
    bookings.Arrivals(home).step()
    loop.step()

    hands.step(3600)
    loop.step()
    hands.pass_(1)
    air.beat(home.home.run, hands.wall, bookings=[booking.pk])
    loop.step()

    booking.refresh_from_db()
    assert booking.state == states.BookingState.RECORDING


def test_a_clock_that_is_set_back_does_not_put_the_end_off(
    home: Loaded, channel: Channel, hands: air.Clock, tape: air.Air
) -> None:
    booking = stage.order(channel)
    tape.receive(stage.at(2), stage.at(27))
    hands.go_to(stage.at(10))
    bookings.Arrivals(home).step()
    hands.step(-3600)
    loop = finaliser.Finaliser(home)

    hands.pass_(18)
    air.beat(home.home.run, hands.wall, done={booking.pk: booking.to_at - timedelta(seconds=5)})
    loop.step()
    booking.refresh_from_db()
    assert booking.state == states.BookingState.RECORDING  # it was made longer meanwhile
    air.beat(home.home.run, hands.wall, done={booking.pk: booking.to_at})
    loop.step()

    booking.refresh_from_db()
    assert booking.state == states.BookingState.RECORDED
    assert booking.asset is not None
    assert stage.manifest_of(home, booking.asset)["verdict"] == "complete"


def test_a_recording_over_which_the_clock_was_set_forward_is_stopped_at_its_own_time(
    home: Loaded, channel: Channel, hands: air.Clock, tape: air.Air, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "elapsed", lambda: hands.mono)
    monkeypatch.setattr(bootstrap, "loaded", lambda: home)
    booking = stage.order(channel, seconds=60)
    tape.receive(stage.at(2), stage.at(20))
    hands.go_to(stage.at(20))
    bookings.Arrivals(home).step()
    ends_mono = hands.mono + 45
    hands.step(7200)
    opened = [windows.Open(booking.pk, booking.to_at, ends_mono)]
    air.beat(home.home.run, hands.wall, bookings=[booking.pk], opened=opened)

    assert [w.booking for c in bookings.build_plan(home, now=hands.wall).channels for w in c.windows] == [booking.pk]
    booking.refresh_from_db()
    services.stop(booking=booking)

    assert booking.to_at == stage.at(20)


def test_a_stopped_recording_keeps_what_there_is(
    home: Loaded, channel: Channel, hands: air.Clock, tape: air.Air
) -> None:
    booking = stage.order(channel, 5, 3600)
    tape.receive(stage.at(2), stage.at(15))
    stage.run(home, hands, 14.5)
    booking.refresh_from_db()
    services.stop(booking=booking)
    tape.receive(stage.at(15), stage.at(16))

    stage.run(home, hands, 18)

    recording = Recording.objects.get()
    assert (recording.verdict, recording.score) == ("complete", 100)
    assert recording.reason == "Stopped by hand after 10 s. Everything was received."
    assert stage.stream_of(home, Asset.objects.get()).read_bytes() == tape.content(stage.at(5), stage.at(15))
    stage.tidy(home, hands)
    assert stage.left(tape) == []


def test_a_window_that_passed_while_the_keeper_was_away_is_ended(
    home: Loaded, channel: Channel, hands: air.Clock, tape: air.Air
) -> None:
    booking = stage.order(channel)
    tape.receive(stage.at(2), stage.at(26))

    stage.run(home, hands, 7200)

    booking.refresh_from_db()
    assert booking.state == states.BookingState.RECORDED
    assert Recording.objects.get().verdict == "complete"


def test_a_long_recording_is_ended_quickly(home: Loaded, channel: Channel, hands: air.Clock, tape: air.Air) -> None:
    stage.order(channel, 5, 3600)
    tape.receive(stage.at(2), stage.at(3610))
    stage.run(home, hands, 3000)

    started = time.monotonic()
    stage.run(home, hands, 3620)

    assert time.monotonic() - started < 10
    assert Recording.objects.get().verdict == "complete"
    assert len(stage.manifest_of(home, Asset.objects.get())["seconds"]) == 3600
