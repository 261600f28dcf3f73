"""From segments on disk to one file, one manifest and one verdict, whatever dies in between."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from nephos.config.load import Loaded
from nephos.events import log
from nephos.lib import files
from nephos.library import services as library
from nephos.library.models import Asset, Channel, MediaFile, Recording
from nephos.recording import bookings, finaliser, join, segments, services, states, sweep
from nephos.recording.models import Booking
from tests.fakes import air

pytestmark = pytest.mark.django_db(transaction=True)

NOON = datetime(2026, 11, 22, 19, 0, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


class Killed(BaseException):
    """The process dies here: nothing may catch it."""


@pytest.fixture
def tape(home: Loaded, channel: Channel) -> air.Air:
    return air.Air(home.home.recordings, channel.slug)


def order(channel: Channel, start: float = 5, seconds: int = 20) -> Booking:
    return services.record_now(channel=channel, duration=seconds, starts_at=at(start))


def run(home: Loaded, hands: air.Clock, until: float, *, beats: bool = True) -> None:
    """The keeper's loops, at a time when the recorder says that it is done."""
    hands.go_to(at(until))
    if beats:
        air.beat(home.home.run, hands.wall)
    bookings.Arrivals(home).step()
    finaliser.Finaliser(home).step()


def tidy(home: Loaded, hands: air.Clock) -> None:
    hands.pass_(30)
    sweep.Sweeper(home).step()


def stream_of(home: Loaded, asset: Asset) -> Path:
    return home.home.recordings / "la-uno" / f"{asset.stem}.ts"


def manifest_of(home: Loaded, asset: Asset) -> dict[str, Any]:
    path = home.home.recordings / "la-uno" / f"{asset.stem}.manifest.json"
    raw: dict[str, Any] = json.loads(path.read_text())
    return raw


def hidden(home: Loaded) -> list[str]:
    return sorted(path.name for path in (home.home.recordings / "la-uno").glob(".*.partial"))


def left(tape: air.Air) -> list[str]:
    return sorted(path.name for path in tape.folder.iterdir())


def test_a_whole_recording_becomes_one_file_with_a_manifest(
    home: Loaded, channel: Channel, hands: air.Clock, tape: air.Air
) -> None:
    booking = order(channel)
    tape.receive(at(2), at(26))

    run(home, hands, 28)

    booking.refresh_from_db()
    asset = Asset.objects.get()
    content = stream_of(home, asset).read_bytes()
    assert content == tape.content(at(5), at(25))
    assert (booking.state, booking.asset) == (states.BookingState.RECORDED, asset)
    assert asset.state == "arrived"
    recording = Recording.objects.get()
    assert (recording.verdict, recording.score, recording.gaps) == ("complete", 100, [])
    assert (recording.recorded_from, recording.recorded_to) == (at(5.01), at(24.99))
    assert recording.counters["bytes"] == len(content)
    manifest = manifest_of(home, asset)
    assert manifest["sha256"] == hashlib.sha256(content).hexdigest()
    assert [piece["bytes"] for piece in manifest["segments"]] == [5 * air.RATE, 10 * air.RATE, 5 * air.RATE]
    for piece in manifest["segments"]:
        part = content[piece["offset"] : piece["offset"] + piece["bytes"]]
        assert hashlib.sha256(part).hexdigest() == piece["sha256"]
    assert manifest["seconds"][1] == ["2026-11-22T19:00:06.000Z", air.RATE, air.RATE, 0]
    assert manifest["starts_at"] == "2026-11-22T19:00:05.000Z"
    assert (manifest["channel"], manifest["schedule"], manifest["url"]) == ("La Uno", "", "udp://239.1.2.3:5004")
    assert hidden(home) == []


def test_both_files_are_registered_before_the_asset_has_arrived(
    home: Loaded, channel: Channel, hands: air.Clock, tape: air.Air, monkeypatch: pytest.MonkeyPatch
) -> None:
    order(channel)
    tape.receive(at(2), at(26))
    seen: list[str] = []
    real = library.finish_recording

    def look(**values: Any) -> None:
        seen.extend(MediaFile.objects.values_list("kind", flat=True))
        real(**values)

    monkeypatch.setattr(library, "finish_recording", look)

    run(home, hands, 28)

    assert seen == ["recording", "recording-manifest"]
    for row in MediaFile.objects.all():
        path = home.home.recordings / row.path
        assert (row.place, row.size_bytes, row.sha256) == ("recordings", path.stat().st_size, files.sha256(path))
    assert [entry.kind for entry in log.recent(limit=2)] == ["booking.finished", "asset.arrived"]


def test_doing_it_again_changes_nothing(home: Loaded, channel: Channel, hands: air.Clock, tape: air.Air) -> None:
    order(channel)
    tape.receive(at(2), at(26))
    run(home, hands, 28)
    before = (log.latest(), sorted(home.home.recordings.rglob("*")))

    run(home, hands, 40)

    assert (log.latest(), sorted(home.home.recordings.rglob("*"))) == before


def test_a_killed_recorder_leaves_one_recording_with_one_gap(
    home: Loaded, channel: Channel, hands: air.Clock, tape: air.Air
) -> None:
    order(channel)
    tape.receive(at(2), at(12))
    tape.killed(at(12.5), back_at=at(13.3), until=at(26))

    run(home, hands, 28)

    asset, recording = Asset.objects.get(), Recording.objects.get()
    assert stream_of(home, asset).read_bytes() == tape.content(at(5), at(25))
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
    order(channel)
    tape.receive(at(2), at(19))
    tape.killed(at(19.8), back_at=at(23.5), until=at(26))

    run(home, hands, 28)

    recording = Recording.objects.get()
    assert [(gap["seconds"], gap["cause"]) for gap in recording.gaps] == [(3.72, "the recorder was not running")]
    assert stream_of(home, Asset.objects.get()).read_bytes() == tape.content(at(5), at(25))


def test_a_late_start_records_the_remainder(home: Loaded, channel: Channel, hands: air.Clock, tape: air.Air) -> None:
    order(channel)
    tape.receive(at(9), at(26))

    run(home, hands, 28)

    recording = Recording.objects.get()
    assert recording.verdict == "complete_with_gaps"
    assert [(gap["seconds"], gap["cause"]) for gap in recording.gaps] == [(4.01, "started late")]
    assert stream_of(home, Asset.objects.get()).stat().st_size == 16 * air.RATE


def test_a_receiver_that_heard_nothing_makes_an_empty_recording(
    home: Loaded, channel: Channel, hands: air.Clock, tape: air.Air
) -> None:
    booking = order(channel)
    tape.receive(at(2), at(26), silent=True)

    run(home, hands, 28)
    tidy(home, hands)

    booking.refresh_from_db()
    asset, recording = Asset.objects.get(), Recording.objects.get()
    assert (booking.state, asset.state) == (states.BookingState.RECORDED, "empty")
    assert (recording.verdict, recording.score) == ("empty", 0)
    assert recording.reason == "The receiver listened, but nothing came: no signal."
    assert not stream_of(home, asset).exists()
    assert not MediaFile.objects.exists()
    assert left(tape) == []


def test_two_bookings_share_what_lies_in_both(home: Loaded, channel: Channel, hands: air.Clock, tape: air.Air) -> None:
    first, second = order(channel, 5, 20), order(channel, 15, 30)
    tape.receive(at(2), at(26))
    run(home, hands, 28)
    tidy_clock = hands.wall
    sweep.Sweeper(home).step()
    assert [path.name for path in tape.folder.glob("*.ts")]
    hands.wall = tidy_clock
    tape.receive(at(26), at(46))
    run(home, hands, 48)

    first.refresh_from_db()
    second.refresh_from_db()
    assert first.asset is not None
    assert second.asset is not None
    assert stream_of(home, first.asset).read_bytes() == tape.content(at(5), at(25))
    assert stream_of(home, second.asset).read_bytes() == tape.content(at(15), at(45))
    tidy(home, hands)
    assert left(tape) == []


def test_back_to_back_bookings_share_no_byte(home: Loaded, channel: Channel, hands: air.Clock, tape: air.Air) -> None:
    one, two = order(channel, 5, 12), order(channel, 17, 12)
    tape.receive(at(2), at(30))

    run(home, hands, 32)

    one.refresh_from_db()
    two.refresh_from_db()
    assert one.asset is not None
    assert two.asset is not None
    both = stream_of(home, one.asset).read_bytes() + stream_of(home, two.asset).read_bytes()
    assert both == tape.content(at(5), at(29))


def test_a_recording_is_not_ended_while_the_recorder_is_on_it(
    home: Loaded, channel: Channel, hands: air.Clock, tape: air.Air
) -> None:
    booking = order(channel)
    tape.receive(at(2), at(26))
    loop = finaliser.Finaliser(home)
    hands.go_to(at(28))
    bookings.Arrivals(home).step()

    air.beat(home.home.run, at(24), bookings=[])  # from before the end
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
    booking = order(channel)
    tape.receive(at(2), at(10))
    loop = finaliser.Finaliser(home)
    hands.go_to(at(10))
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


def test_a_stopped_recording_keeps_what_there_is(
    home: Loaded, channel: Channel, hands: air.Clock, tape: air.Air
) -> None:
    booking = order(channel, 5, 3600)
    tape.receive(at(2), at(15))
    run(home, hands, 14.5)
    booking.refresh_from_db()
    services.stop(booking=booking)
    tape.receive(at(15), at(16))

    run(home, hands, 18)

    recording = Recording.objects.get()
    assert (recording.verdict, recording.score) == ("complete", 100)
    assert recording.reason == "Stopped by hand after 10 s. Everything was received."
    assert stream_of(home, Asset.objects.get()).read_bytes() == tape.content(at(5), at(15))
    tidy(home, hands)
    assert left(tape) == []


def test_an_existing_file_is_never_overwritten(home: Loaded, channel: Channel, hands: air.Clock, tape: air.Air) -> None:
    folder = home.home.recordings / "la-uno"
    folder.mkdir(parents=True)
    order(channel)
    tape.receive(at(2), at(26))
    hands.go_to(at(10))
    bookings.Arrivals(home).step()
    (folder / "adhoc_2026-11-22_190005Z.ts").write_text("mine")
    (folder / "adhoc_2026-11-22_190005Z-2.manifest.json").write_text("mine too")

    run(home, hands, 28)

    assert (folder / "adhoc_2026-11-22_190005Z.ts").read_text() == "mine"
    assert (folder / "adhoc_2026-11-22_190005Z-2.manifest.json").read_text() == "mine too"
    assert not (folder / "adhoc_2026-11-22_190005Z-2.ts").exists()
    assert (folder / "adhoc_2026-11-22_190005Z-3.ts").read_bytes() == tape.content(at(5), at(25))
    assert [row.path for row in MediaFile.objects.all()] == [
        "la-uno/adhoc_2026-11-22_190005Z-3.ts",
        "la-uno/adhoc_2026-11-22_190005Z-3.manifest.json",
    ]


def test_two_orders_of_one_second_get_two_names(
    home: Loaded, channel: Channel, hands: air.Clock, tape: air.Air
) -> None:
    order(channel)
    order(channel, seconds=10)
    tape.receive(at(2), at(26))

    run(home, hands, 28)

    assert sorted(Asset.objects.values_list("stem", flat=True)) == [
        "adhoc_2026-11-22_190005Z",
        "adhoc_2026-11-22_190005Z-2",
    ]
    assert Asset.objects.values("folder").distinct().count() == 2


POINTS: list[tuple[Any, str, bool]] = [
    (join, "assemble", True),
    (join, "assemble", False),
    (join, "write_seal", False),
    (join, "publish", True),
    (join, "publish", False),
    (library, "finish_recording", True),
    (library, "finish_recording", False),
    (join, "forget", True),
]


@pytest.mark.parametrize(("module", "step", "before"), POINTS)
def test_a_kill_at_any_step_is_made_good_by_the_next_run(  # noqa: PLR0917 - fixtures
    home: Loaded,
    channel: Channel,
    hands: air.Clock,
    tape: air.Air,
    monkeypatch: pytest.MonkeyPatch,
    module: Any,
    step: str,
    before: bool,
) -> None:
    order(channel)
    tape.receive(at(2), at(12))
    tape.killed(at(12.5), back_at=at(13.3), until=at(26))
    real: Callable[..., Any] = getattr(module, step)
    calls: list[int] = []

    def dies(*args: Any, **values: Any) -> Any:
        calls.append(1)
        if step == "forget" and len(calls) == 1:  # the first call clears the table before joining
            return real(*args, **values)
        if not before:
            real(*args, **values)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(module, step, dies)
        with pytest.raises(Killed):
            run(home, hands, 28)
    run(home, hands, 40)
    tidy(home, hands)

    asset = Asset.objects.get()
    assert asset.state == "arrived"
    assert stream_of(home, asset).read_bytes() == tape.content(at(5), at(25))
    assert manifest_of(home, asset)["verdict"] == "complete_with_gaps"
    assert MediaFile.objects.count() == 2
    assert [entry.kind for entry in log.read(limit=50)].count("asset.arrived") == 1
    assert sorted(path.name for path in stream_of(home, asset).parent.iterdir()) == [
        ".segments",
        f"{asset.stem}.manifest.json",
        f"{asset.stem}.ts",
    ]
    assert left(tape) == []


def test_a_half_joined_file_is_joined_anew(home: Loaded, channel: Channel, hands: air.Clock, tape: air.Air) -> None:
    order(channel)
    tape.receive(at(2), at(26))
    run(home, hands, 20)
    place = join.Place(home.home.recordings / "la-uno", Asset.objects.get().stem)
    place.partial.write_bytes(b"half")
    place.seal.write_text('{"bytes": 5, "booking": 1}')

    run(home, hands, 28)

    assert stream_of(home, Asset.objects.get()).read_bytes() == tape.content(at(5), at(25))


def test_a_file_system_without_links_works_too(
    home: Loaded, channel: Channel, hands: air.Clock, tape: air.Air, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*args: Any, **values: Any) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("os.link", no_links)
    order(channel)
    tape.receive(at(2), at(26))
    real = library.finish_recording

    def dies(**values: Any) -> None:
        raise Killed

    monkeypatch.setattr(library, "finish_recording", dies)
    with pytest.raises(Killed):
        run(home, hands, 28)
    monkeypatch.setattr(library, "finish_recording", real)
    run(home, hands, 40)

    asset = Asset.objects.get()
    assert stream_of(home, asset).read_bytes() == tape.content(at(5), at(25))
    assert MediaFile.objects.count() == 2
    assert hidden(home) == []


def test_a_recording_that_cannot_be_ended_does_not_hold_others_up(
    home: Loaded, channel: Channel, hands: air.Clock, tape: air.Air, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = order(channel, 5, 10), order(channel, 6, 10)
    tape.receive(at(2), at(26))
    real = join.assemble

    def full(place: join.Place, parts: Any) -> join.Joined:
        if "190005Z" in place.stem:
            raise OSError(28, "No space left on device")
        return real(place, parts)

    monkeypatch.setattr(join, "assemble", full)
    loop = finaliser.Finaliser(home)
    hands.go_to(at(28))
    air.beat(home.home.run, hands.wall)
    bookings.Arrivals(home).step()
    loop.step()
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, second.state) == ("recording", "recorded")

    monkeypatch.setattr(join, "assemble", real)
    hands.pass_(61)
    air.beat(home.home.run, hands.wall)
    loop.step()

    first.refresh_from_db()
    assert first.state == "recorded"


def test_only_segments_of_finished_windows_are_removed(
    home: Loaded, channel: Channel, hands: air.Clock, tape: air.Air
) -> None:
    order(channel)
    tape.receive(at(-60), at(-50))  # nobody knows why
    tape.receive(at(2), at(28))
    tape.receive(at(50), at(55))  # nobody knows this either
    run(home, hands, 70)
    assert len(list(tape.folder.glob("*.ts"))) == 5

    tidy(home, hands)

    assert left(tape) == [
        segments.name(int(at(-60).timestamp())).replace(".ts", ".jsonl"),
        segments.name(int(at(-60).timestamp())),
        segments.name(int(at(50).timestamp())).replace(".ts", ".jsonl"),
        segments.name(int(at(50).timestamp())),
    ]


def test_segments_that_may_still_be_written_to_stay_for_now(
    home: Loaded, channel: Channel, hands: air.Clock, tape: air.Air
) -> None:
    order(channel)
    tape.receive(at(2), at(26))
    run(home, hands, 28)
    sweeper = sweep.Sweeper(home)

    sweeper.step()
    assert sorted(path.name for path in tape.folder.glob("*.ts")) == [
        segments.name(int(at(10).timestamp())),
        segments.name(int(at(20).timestamp())),
    ]
    hands.pass_(13)
    sweeper.step()

    assert left(tape) == []


def test_a_window_that_passed_while_the_keeper_was_away_is_ended(
    home: Loaded, channel: Channel, hands: air.Clock, tape: air.Air
) -> None:
    booking = order(channel)
    tape.receive(at(2), at(26))

    run(home, hands, 7200)

    booking.refresh_from_db()
    assert booking.state == states.BookingState.RECORDED
    assert Recording.objects.get().verdict == "complete"


def test_a_long_recording_is_ended_quickly(home: Loaded, channel: Channel, hands: air.Clock, tape: air.Air) -> None:
    import time

    order(channel, 5, 3600)
    tape.receive(at(2), at(3610))
    run(home, hands, 3000)

    started = time.monotonic()
    run(home, hands, 3620)

    assert time.monotonic() - started < 10
    assert Recording.objects.get().verdict == "complete"
    assert len(manifest_of(home, Asset.objects.get())["seconds"]) == 3600
