"""What the keeper finds by itself, and that it says it once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from nephos.config import load
from nephos.config.live import Live
from nephos.events import kinds, log
from nephos.lib import clock, locks
from nephos.library import services as library
from nephos.library.models import Channel
from nephos.maintenance import alive, digest, held, in_force, missed, onair, signal, space
from nephos.monitoring import queries
from nephos.recording import services as recording
from tests.fakes import multicast, senders, transport

pytestmark = pytest.mark.django_db

Settle = Callable[..., load.Loaded]
Beats = Callable[..., None]


def opened() -> list[str]:
    return [view.key for view in queries.problems()]


def happened(kind: str = "problem.") -> list[str]:
    return [entry.kind for entry in log.read(kind=kind)]


# --- disk ------------------------------------------------------------------------------------------------------------


def test_a_disk_that_is_low_is_a_problem_until_there_is_room(settle: Settle) -> None:
    low = settle("[maintenance.disk]\nmin_bytes = 1_000_000_000_000_000\nwarn_hours = 0")
    space.check(low)
    space.check(low)
    view = queries.problems()[0]
    assert view.key == "disk.low:recordings"
    assert "is free" in view.reason
    assert "retention" in view.hint

    space.check(settle("[maintenance.disk]\nmin_bytes = 0\nmin_percent = 0\nwarn_hours = 0"))
    assert happened() == ["problem.opened", "problem.closed"]


def test_bookings_ahead_say_when_it_will_be_full(settle: Settle, monkeypatch: pytest.MonkeyPatch) -> None:
    import shutil
    from collections import namedtuple

    usage = namedtuple("usage", "total used free")
    free = 256 * 1024**2 + 3600 * 1_000_000
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: usage(10 * free, 9 * free, free))
    loaded = settle("[station]\nzone = 'Europe/Madrid'\n[maintenance.disk]\nmin_bytes = 0\nmin_percent = 0")
    channel = library.add_channel(name="One", address="udp://239.1.2.3:5004")
    recording.record_now(channel=channel, duration="2h")

    space.check(loaded)

    volume = space.volumes(loaded)[0]
    assert volume.full_at is not None
    assert abs(volume.full_at - clock.now() - timedelta(hours=1)) < timedelta(minutes=1)
    assert "full on" in queries.problems()[0].reason


# --- channels --------------------------------------------------------------------------------------------------------

QUICK = """
[recording]
interface = "127.0.0.1"
[maintenance.channels]
timeout_seconds = 0.5
interval_seconds = 0.2
recheck_seconds = 0.2
"""


def channel_at(group: str, port: int, name: str = "One") -> Channel:
    return library.add_channel(name=name, address=f"udp://{group}:{port}")


def look(check: onair.OnAir, loaded: load.Loaded) -> None:
    check._looked.clear()
    check.check(loaded)


def test_a_channel_is_down_at_the_second_miss_and_up_when_it_is_heard(settle: Settle) -> None:
    loaded, check = settle(QUICK), onair.OnAir()
    group, port = multicast.free_group(), multicast.free_port()
    channel = channel_at(group, port)

    look(check, loaded)
    assert opened() == []
    look(check, loaded)
    look(check, loaded)
    channel.refresh_from_db()
    assert (channel.status, opened()) == ("down", [f"channel.down:{channel.pk}"])

    sender = multicast.MulticastSender(group, port, loop=True, seconds=30)
    sender.start()
    try:
        look(check, loaded)
    finally:
        sender.stop()
    channel.refresh_from_db()
    assert (channel.status, opened()) == ("up", [])
    assert happened() == ["problem.opened", "problem.closed"]


def test_many_channels_are_listened_to_at_once(settle: Settle, monkeypatch: pytest.MonkeyPatch) -> None:
    meeting, listen = threading.Barrier(8, timeout=60), onair.listen

    def listen_together(channel: Channel, settings: load.Loaded) -> onair.Heard | None:
        meeting.wait()  # breaks unless all eight are there at the same time
        return listen(channel, settings)

    monkeypatch.setattr(onair, "listen", listen_together)
    loaded, check = settle(f"{QUICK}\nthreads = 8"), onair.OnAir()
    for number in range(8):
        channel_at(multicast.free_group(), multicast.free_port(), f"Channel {number}")

    check.check(loaded)

    assert not meeting.broken
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("on-air")]


def test_a_channel_that_is_received_is_left_alone(settle: Settle, beats: Beats) -> None:
    loaded, check = settle(f"{QUICK}\nmisses = 1"), onair.OnAir()
    channel = channel_at(multicast.free_group(), multicast.free_port())
    with locks.FileLock(loaded.home.run / "recorder.lock"):
        beats(loaded, "recorder", receivers=[{"slug": channel.slug, "state": "receiving", "bookings": [1]}])
        check.check(loaded)

    assert opened() == []


def test_a_channel_that_will_be_recorded_in_a_moment_is_left_to_the_recorder(settle: Settle) -> None:
    loaded, check = settle(f"{QUICK}\nmisses = 1"), onair.OnAir()
    channel = channel_at(multicast.free_group(), multicast.free_port())
    booking = recording.record_now(channel=channel, duration="1h")
    look(check, loaded)
    assert opened() == []

    recording.stop(booking=booking)
    look(check, loaded)
    assert len(opened()) == 1


def test_what_is_fetched_is_asked_too(settle: Settle, tmp_path: Path) -> None:
    loaded, check = settle(f"{QUICK}\nmisses = 1"), onair.OnAir()
    (tmp_path / "a.ts").write_bytes(transport.stream(20_000))
    sender = senders.HttpSender(tmp_path / "a.ts")
    channel = library.add_channel(name="Web", address=sender.url)
    sender.start()
    try:
        look(check, loaded)
    finally:
        sender.stop()
    channel.refresh_from_db()
    assert (channel.status, opened()) == ("up", [])

    look(check, loaded)

    channel.refresh_from_db()
    assert (channel.status, opened()) == ("down", [f"channel.down:{channel.pk}"])
    assert "cannot be fetched" in queries.problems()[0].reason


@pytest.mark.parametrize(
    ("address", "more"), [("http://127.0.0.1:9/live.ts", "fetched = false"), ("pipe:tuner", "fetched = true")]
)
def test_what_must_not_be_asked_is_not(settle: Settle, address: str, more: str) -> None:
    loaded, check = settle(f"{QUICK}\nmisses = 1\n{more}"), onair.OnAir()
    library.add_channel(name="Web", address=address)

    look(check, loaded)

    assert opened() == []


def test_a_server_from_which_a_channel_is_received_is_not_asked_for_another(settle: Settle, beats: Beats) -> None:
    loaded, check = settle(f"{QUICK}\nmisses = 1"), onair.OnAir()
    one, _ = (library.add_channel(name=name, address=f"http://127.0.0.1:9/{name}.ts") for name in ("one", "two"))
    with locks.FileLock(loaded.home.run / "recorder.lock"):
        beats(loaded, "recorder", receivers=[{"slug": one.slug, "state": "receiving", "bookings": [1]}])
        look(check, loaded)
        assert opened() == []
    look(check, loaded)

    assert len(opened()) == 2


def test_the_problem_of_a_channel_goes_with_it(settle: Settle) -> None:
    loaded, check = settle(f"{QUICK}\nmisses = 1"), onair.OnAir()
    channel = channel_at(multicast.free_group(), multicast.free_port())
    look(check, loaded)
    assert len(opened()) == 1

    library.remove_channel(channel=channel)
    look(check, loaded)
    assert opened() == []


def test_no_signal_in_a_recording_is_one_alert_and_one_recovery(settle: Settle, beats: Beats) -> None:
    loaded, check = settle("[maintenance.signal]\nsilent_seconds = 0.2"), signal.Signal()
    channel = channel_at("239.1.2.3", 5004)
    booking = recording.record_now(channel=channel, duration="1h", title="The news")

    def hear(state: str) -> None:
        beats(loaded, "recorder", receivers=[{"slug": channel.slug, "state": state, "bookings": [booking.pk]}])
        check.check(loaded)

    with locks.FileLock(loaded.home.run / "recorder.lock"):
        hear("waiting")
        assert opened() == []
        threading.Event().wait(0.25)
        hear("silent")
        hear("silent")
        assert queries.problems()[0].sentence == "The news on One gets no signal."
        channel.refresh_from_db()
        assert channel.status == "down"
        hear("receiving")
        hear("receiving")

    channel.refresh_from_db()
    assert (channel.status, opened()) == ("up", [])
    assert happened() == ["problem.opened", "problem.closed"]


def test_a_channel_that_is_down_is_not_told_again_when_its_recording_starts(settle: Settle, beats: Beats) -> None:
    loaded = settle(f"{QUICK}\nmisses = 1\n[maintenance.signal]\nsilent_seconds = 0.2")
    channel = channel_at(multicast.free_group(), multicast.free_port())
    onair.OnAir().check(loaded)
    booking = recording.record_now(channel=channel, duration="1h")
    check = signal.Signal()
    with locks.FileLock(loaded.home.run / "recorder.lock"):
        beats(loaded, "recorder", receivers=[{"slug": channel.slug, "state": "silent", "bookings": [booking.pk]}])
        check.check(loaded)
        threading.Event().wait(0.25)
        check.check(loaded)

    assert happened() == ["problem.opened"]
    assert "gets no signal" in queries.problems()[0].sentence


# --- missed ----------------------------------------------------------------------------------------------------------


def miss(number: int) -> None:
    event = kinds.BookingMissed(
        subject=f"booking:{number}",
        title=f"Show {number}",
        starts_at="2026-11-22T19:00:00.000Z",
        reason="The station was off.",
    )
    log.emit(event)


def test_bookings_that_were_missed_together_are_told_together_once() -> None:
    for number in range(7):
        miss(number)
    missed.check(tells=True)
    missed.check(tells=True)
    miss(8)
    missed.check(tells=True)

    told = log.read(kind="bookings.missed")
    assert [entry.data["number"] for entry in told] == ["7 bookings", "1 booking"]
    assert "and 2 more" in told[0].text
    assert told[0].data["bookings"][6]["reason"] == "The station was off."


def test_what_was_missed_while_nobody_wanted_to_know_is_not_told_later() -> None:
    miss(1)
    missed.check(tells=False)
    missed.check(tells=True)

    assert log.read(kind="bookings.missed") == []


# --- roles -----------------------------------------------------------------------------------------------------------


class Clock:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.mono = 1000.0
        monkeypatch.setattr(alive.clock, "monotonic", lambda: self.mono)


def test_a_role_that_ends_again_and_again_is_told_and_so_is_its_peace(
    settle: Settle, beats: Beats, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded, check, time = settle(), alive.Roles(), Clock(monkeypatch)
    with locks.FileLock(loaded.home.run / "nephos.lock"), locks.FileLock(loaded.home.run / "sync.lock"):
        for pid in range(1, 5):
            beats(loaded, "sync", pid=pid)
            check.check(loaded)
            time.mono += 10
        assert opened() == ["role.crashing:sync"]
        time.mono += 1000
        check.check(loaded)

    assert happened() == ["problem.opened", "problem.closed"]


def test_a_role_that_is_gone_is_told_if_it_was_there(
    settle: Settle, beats: Beats, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded, check, time = settle(), alive.Roles(), Clock(monkeypatch)
    with locks.FileLock(loaded.home.run / "nephos.lock"):
        with locks.FileLock(loaded.home.run / "sync.lock"):
            beats(loaded, "sync")
            check.check(loaded)
        time.mono += 31
        check.check(loaded)

        assert opened() == ["role.gone:sync"]
    check.check(loaded)
    assert opened() == []


def test_a_loop_that_fails_and_fails_is_told(settle: Settle, beats: Beats) -> None:
    loaded, check = settle(), alive.Roles()
    with locks.FileLock(loaded.home.run / "keeper.lock"):
        beats(loaded, "keeper", loops={"bookings": "failing: OperationalError", "flow": "running"})
        for _ in range(3):
            check.check(loaded)

    assert opened() == ["role.failing:keeper"]
    assert queries.problems()[0].reason == "bookings: failing: OperationalError"


# --- held, settings --------------------------------------------------------------------------------------------------


def test_files_that_are_held_are_one_problem_a_watch_and_destination(
    settle: Settle, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nephos.sync.queries import WatchStatus
    from nephos.sync.states import PathState

    counts = {PathState.HELD: 3, PathState.DELIVERED: 1}
    monkeypatch.setattr(
        held.queries,
        "watches",
        lambda _home: [
            WatchStatus("tv", "archive", dict(counts), 0, 0, paused=False),
            WatchStatus("tv", "vault", {PathState.DELIVERED: 4}, 0, 0, paused=False),
        ],
    )
    loaded = settle()
    held.check(loaded)
    assert opened() == ["delivery.held:tv:archive"]

    counts.clear()
    held.check(loaded)
    assert happened() == ["problem.opened", "problem.closed"]


def test_settings_that_are_refused_are_a_problem_until_they_are_mended(settle: Settle) -> None:
    live = Live(settle("[web]\nport = 8601"))
    check = in_force.InForce(live)
    check.check(live.current())
    live.current().home.config_file.write_text("[web]\nprot = 8602\n# longer")
    check.check(live.current())
    assert live.current().settings.web.port == 8601
    assert "prot" in queries.problems()[0].reason

    live.current().home.config_file.write_text("[web]\nport = 8602")
    check.check(live.current())
    assert happened() == ["problem.opened", "problem.closed"]


# --- digest ----------------------------------------------------------------------------------------------------------


def test_the_digest_comes_once_a_day_whoever_asks_how_often(settle: Settle, monkeypatch: pytest.MonkeyPatch) -> None:
    from nephos.events.models import Event

    loaded = settle("[station]\nzone = 'Europe/Madrid'\n[maintenance.digest]\ntime = '00:00'")
    channel = channel_at("239.1.2.3", 5004)
    recording.record_now(channel=channel, duration="1h", title="The news")
    miss(1)
    Event.objects.update(at=clock.now() - timedelta(hours=25))
    digest.check(loaded)
    digest.check(loaded)
    digest.check(load.load(loaded.home.root, environment={}))

    told = log.read(kind="digest.made")
    assert len(told) == 1
    body = told[0].data["body"]
    assert "Disk:" in body
    assert "recorded:" in body

    later = clock.now() + timedelta(days=1)
    monkeypatch.setattr(digest.clock, "now", lambda: later)
    digest.check(loaded)
    assert len(log.read(kind="digest.made")) == 2


def test_there_is_no_digest_of_days_before_the_station_was(settle: Settle) -> None:
    digest.check(settle("[maintenance.digest]\ntime = '00:00'"))

    assert log.read(kind="digest.made") == []


def test_the_digest_counts_what_happened(settle: Settle) -> None:
    from nephos.maintenance import days

    loaded = settle()
    miss(1)
    miss(2)
    now = clock.now()
    made = digest.make(
        days.Digest(day=now.date(), since=now - timedelta(days=1), until=now + timedelta(seconds=1)), loaded
    )

    assert made.figures["missed"] == 2
    assert "Show 1" in made.body
    assert "2 missed" in made.summary


def test_every_check_has_a_loop_of_its_own(settle: Settle) -> None:
    from nephos.maintenance import checks

    names: list[Any] = [loop.name for loop in checks.loops(settle())]

    assert len(set(names)) == len(names)
    assert {"disk", "channels", "signal", "missed", "roles", "deliveries", "settings", "digest", "retention"} <= set(
        names
    )
