"""The recorder with real multicast on the loopback interface, as a thread and as a process that is killed."""

from __future__ import annotations

import itertools
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from nephos.config import load
from nephos.lib import clock, heartbeats
from nephos.recording import cuts, evidence, gaps, plan, recorder, segments, timeline
from tests.fakes import multicast, transport
from tests.support.recorder import Station

LOOPBACK = "127.0.0.1"
PROCESS = """
import signal, sys, threading
from pathlib import Path
from nephos.config import load
from nephos.recording import recorder
stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
recorder.main(load.load(Path(sys.argv[1]), environment={}), stop)
"""


@pytest.fixture
def sender() -> Iterator[multicast.MulticastSender]:
    made = multicast.MulticastSender(multicast.free_group(), multicast.free_port())
    yield made
    made.stop()


@pytest.fixture
def station(home: load.Loaded) -> Iterator[Station]:
    made = Station(home)
    yield made
    made.end()


def channel(
    sender: multicast.MulticastSender, *, slug: str = "one", seconds: float = 60, starts_in: float = 0, booking: int = 1
) -> plan.Channel:
    start = clock.now() + timedelta(seconds=starts_in)
    window = plan.Window(booking=booking, start=start, end=start + timedelta(seconds=seconds))
    return plan.Channel(slug=slug, name=slug, url=sender.url, interface=LOOPBACK, windows=(window,))


def joined(sender: multicast.MulticastSender) -> Callable[[], bool]:
    return lambda: multicast.join_count(sender.group) > 0


def check_journal(station: Station, slug: str = "one") -> None:
    """Every line agrees with the bytes on disk, and no second is missing or there twice."""
    lines = station.seconds(slug)
    for before, after in itertools.pairwise(lines):
        assert after.utc - before.utc == timedelta(seconds=1)
    assert sum(line.bytes for line in lines) == len(station.recorded(slug))
    for segment in segments.list_segments(station.folder(slug)):
        offset = 0
        for line in segments.read_journal(segment.journal).seconds:
            assert line.offset == offset
            offset += line.bytes
        assert offset == segment.path.stat().st_size


def check_told(station: Station, window: plan.Window) -> cuts.Cut:
    """In the window's own time seconds follow one another, and every byte on disk that it wanted is there once."""
    span = gaps.Span(window.start, window.end)
    cut = cuts.cut(evidence.collect(station.folder(), span, booking=window.booking), span)
    # A clock that is set in the middle of a second leaves it in two lines.
    apart = [after.utc - before.utc for before, after in itertools.pairwise(cut.seconds)]
    assert all(timedelta(0) <= one <= timedelta(seconds=1.001) for one in apart)
    assert [one.offset for one in cut.strip] == sorted(one.offset for one in cut.strip)
    assert sum(one.bytes for one in cut.seconds) == cut.bytes
    return cut


@pytest.mark.parametrize("rtp", [False, True])
def test_what_is_sent_is_what_is_recorded(station: Station, rtp: bool) -> None:
    sender = multicast.MulticastSender(
        multicast.free_group(), multicast.free_port(), rtp=rtp, seconds=2.2, bits_per_second=8e6, first_sequence=65000
    )
    station.plan(channel(sender))
    station.start()
    station.wait_until(joined(sender))
    with sender:
        sender.join()
    station.wait_until(lambda: len(station.recorded()) >= len(sender.sent))
    station.wait_until(lambda: any(r["protocol"] for r in station.shown()))
    [shown] = station.shown()

    station.end()

    assert station.recorded() == sender.sent
    check_journal(station)
    assert shown["protocol"] == ("rtp" if rtp else "udp")
    assert shown["bookings"] == [1]
    lines = station.seconds()
    assert sum(line.datagrams for line in lines) == sender.datagrams
    assert sum(line.cc + line.sync + line.rtp_lost + line.drops for line in lines) == 0


def test_segments_are_aligned_to_utc_and_join_without_a_seam(
    home: load.Loaded, sender: multicast.MulticastSender
) -> None:
    home.home.config_file.write_text("[recording]\nsegment_seconds = 2\n")
    station = Station(load.load(home.home.root, environment={}))
    station.plan(channel(sender))
    station.start()
    station.wait_until(joined(sender))

    with sender:
        time.sleep(4.5)
    time.sleep(0.3)
    station.end()

    found = segments.list_segments(station.folder())
    assert len(found) >= 3
    assert all(segment.start.second % 2 == 0 for segment in found)
    written = itertools.accumulate(segment.bytes for segment in found)
    for before, boundary in zip(written, (segment.start.timestamp() for segment in found[1:]), strict=False):
        # What is in a segment was sent before its end; a reader that is late puts it into the next, but not for long.
        assert sender.sent_before(boundary - 1) <= before <= sender.sent_before(boundary)
    assert station.recorded() == sender.sent
    check_journal(station)


def test_two_channels_on_one_port_never_mix(station: Station) -> None:
    port = multicast.free_port()
    senders = {
        slug: multicast.MulticastSender(multicast.free_group(), port, salt=ord(slug[0])) for slug in ("one", "two")
    }
    station.plan(*(channel(sender, slug=slug) for slug, sender in senders.items()))
    station.start()
    for sender in senders.values():
        station.wait_until(joined(sender))

    for sender in senders.values():
        sender.start()
    time.sleep(1)
    for sender in senders.values():
        sender.stop()
    time.sleep(0.4)
    station.end()

    for slug, sender in senders.items():
        assert station.recorded(slug) == sender.sent


def test_a_wrong_source_gives_seconds_of_silence(station: Station, sender: multicast.MulticastSender) -> None:
    wanted = channel(sender)
    station.plan(plan.Channel("one", "one", f"udp://127.0.0.9@{sender.group}:{sender.port}", LOOPBACK, wanted.windows))
    station.start()

    with sender:
        station.wait_until(lambda: len(station.seconds()) >= 2)
    station.end()

    assert station.recorded() == b""
    assert all((line.bytes, line.first) == (0, None) for line in station.seconds())


def test_a_sender_that_stops_and_comes_back_is_received_again(
    station: Station, sender: multicast.MulticastSender
) -> None:
    station.plan(channel(sender))
    station.start()
    station.wait_until(joined(sender))

    with sender:
        station.wait_until(station.receives)
        sender.pause()
        station.wait_until(lambda: any(r["state"] == "silent" for r in station.shown()), timeout=12)
        before = len(station.recorded())
        sender.resume()
        station.wait_until(lambda: len(station.recorded()) > before)
        time.sleep(0.5)
    time.sleep(0.4)
    station.end()

    assert station.recorded() == sender.sent
    assert any(line.bytes == 0 for line in station.seconds())
    assert sum(line.cc for line in station.seconds()) > 0
    check_journal(station)


def test_a_window_that_starts_later_is_joined_early(station: Station, sender: multicast.MulticastSender) -> None:
    wanted = channel(sender, starts_in=4, seconds=1)
    station.plan(wanted)
    station.start()
    time.sleep(0.6)
    too_early = multicast.join_count(sender.group)

    with sender:
        station.wait_until(joined(sender))
        joined_at = clock.now()
        station.wait_until(lambda: not joined(sender)(), timeout=10)
    station.end()

    [window] = wanted.windows
    arrivals = [line.utc + timedelta(seconds=line.first) for line in station.seconds() if line.first is not None]
    assert too_early == 0
    assert timedelta(0) < window.start - joined_at < timedelta(seconds=3.3)
    assert min(arrivals) < window.start
    assert max(line.utc for line in station.seconds()) + timedelta(seconds=1) >= window.end


def test_the_plan_changes_while_it_records(station: Station, sender: multicast.MulticastSender) -> None:
    second = multicast.MulticastSender(multicast.free_group(), sender.port, salt=5)
    first_plan = channel(sender)
    station.plan(first_plan)
    station.start()
    station.wait_until(joined(sender))

    with sender, second:
        station.wait_until(station.receives)
        station.plan(first_plan, channel(second, slug="two", booking=2))
        station.wait_until(lambda: station.receives("two"))
        station.loaded.home.plan_file.write_text("{ this is no plan")
        time.sleep(0.7)
        broken = multicast.join_count(sender.group), multicast.join_count(second.group)
        station.plan(first_plan)
        station.wait_until(lambda: multicast.join_count(second.group) == 0)
        both = multicast.join_count(sender.group)
        moved = plan.Channel("one", "one", second.url, LOOPBACK, first_plan.windows)
        station.plan(moved)
        station.wait_until(lambda: multicast.join_count(second.group) == 1 and multicast.join_count(sender.group) == 0)
        station.plan()
        station.wait_until(lambda: not station.shown() and multicast.join_count(second.group) == 0)
    station.end()

    assert broken == (1, 1)
    assert both == 1
    check_journal(station)


@pytest.mark.parametrize("step", [-30.0, 30.0])
def test_a_step_of_the_wall_clock_neither_ends_nor_doubles_a_recording(
    station: Station, sender: multicast.MulticastSender, step: float
) -> None:
    ahead = [0.0]
    station.clocks = lambda: timeline.Reading(wall=clock.unix() + ahead[0], mono=clock.monotonic())
    wanted = channel(sender, seconds=5)
    station.plan(wanted)
    station.start()
    station.wait_until(joined(sender))

    with sender:
        station.wait_until(station.receives)
        ahead[0] = step
        time.sleep(1.5)
        during = multicast.join_count(sender.group)
        station.wait_until(lambda: multicast.join_count(sender.group) == 0)
        ended = clock.now()
        time.sleep(1)
        again = multicast.join_count(sender.group)
    station.end()

    assert during == 1
    late = ended - wanted.windows[0].end
    assert timedelta(seconds=-0.1) < late < timedelta(seconds=abs(step) / 3)
    assert again == 0
    check_told(station, wanted.windows[0])


def test_a_hostile_stream_does_not_disturb_the_other_channel(
    station: Station, sender: multicast.MulticastSender
) -> None:
    import random

    chance = random.Random(7)
    bad = multicast.MulticastSender(multicast.free_group(), multicast.free_port())
    station.plan(channel(sender), channel(bad, slug="bad", booking=2))
    station.start()
    station.wait_until(joined(sender))
    station.wait_until(joined(bad))

    with sender:
        until = time.monotonic() + 2
        while time.monotonic() < until:
            for _ in range(30):
                bad.send(
                    chance.choice([b"", b"G", b"\x80", b"\xff" * 7, bytes([0x80, 33])])
                    + chance.randbytes(chance.randrange(1400))
                )
            time.sleep(0.01)
    bad.stop()
    time.sleep(0.4)
    station.end()

    assert station.recorded() == sender.sent
    noise = station.recorded("bad")
    assert len(noise) % 188 == 0
    assert all(noise[i] == 0x47 for i in range(0, len(noise), 188))
    assert sum(line.sync for line in station.seconds("bad")) > 0
    assert [r["slug"] for r in station.shown()] == []


def test_a_channel_whose_interface_is_missing_says_so_and_is_tried_again(
    station: Station, sender: multicast.MulticastSender
) -> None:
    wanted = channel(sender)
    station.plan(plan.Channel("one", "one", sender.url, "nope0", wanted.windows))
    station.start()
    station.wait_until(lambda: any("nope0" in r["reason"] for r in station.shown()))

    with sender:
        station.plan(wanted)
        station.wait_until(station.receives)
    station.end()

    assert station.recorded()


def test_a_full_disk_stops_writing_and_is_told(home: load.Loaded, sender: multicast.MulticastSender) -> None:
    home.home.config_file.write_text(f"[recording]\nhard_floor_bytes = {1 << 60}\n")
    station = Station(load.load(home.home.root, environment={}))
    station.plan(channel(sender))
    station.start()
    station.wait_until(joined(sender))

    with sender:
        station.wait_until(lambda: sum(line.unwritten for line in station.seconds()) > 0)
    state = (heartbeats.read(home.home.run, "recorder") or {})["state"]
    station.end()

    assert state == "no_space"
    assert len(station.recorded()) < 400_000


class Process:
    """The recorder as a process of its own."""

    def __init__(self, root: Path) -> None:
        self.process = subprocess.Popen([sys.executable, "-c", PROCESS, str(root)])

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(5)

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)


@pytest.mark.parametrize("kill_at", [0.5, 0.95])
def test_a_killed_recorder_loses_only_what_came_while_none_ran(
    station: Station, sender: multicast.MulticastSender, kill_at: float
) -> None:
    station.plan(channel(sender))
    first = Process(station.loaded.home.root)
    station.wait_until(joined(sender))
    second = None

    try:
        with sender:
            station.wait_until(lambda: len(station.seconds()) >= 2)
            wait = (kill_at - clock.unix()) % 1
            time.sleep(wait)
            first.kill()
            size = len(station.recorded())
            second = Process(station.loaded.home.root)
            station.wait_until(lambda: len(station.recorded()) > size + 500_000)
        time.sleep(0.4)
        second.terminate()
    finally:
        for process in (first, second):
            if process is not None and process.process.poll() is None:
                process.kill()

    got, sent = station.recorded(), sender.sent
    resumes = [
        r for seg in segments.list_segments(station.folder()) for r in segments.read_journal(seg.journal).resumes
    ]
    assert sent.startswith(got[:size])
    assert sent.endswith(got[size:])
    assert len(resumes) == 1
    assert resumes[0].last_write < resumes[0].at
    lost = len(sent) - len(got)
    died, back = (moment.timestamp() for moment in (resumes[0].last_write, resumes[0].at))
    assert 0 < lost <= sender.sent_before(back + 0.5) - sender.sent_before(died - 0.5)  # what no recorder was there for


def test_the_recorder_ends_in_order_when_asked(station: Station, sender: multicast.MulticastSender) -> None:
    station.plan(channel(sender))
    process = Process(station.loaded.home.root)

    with sender:
        station.wait_until(station.receives)
        process.terminate()

    assert process.process.returncode == 0
    check_journal(station)
    assert (heartbeats.read(station.loaded.home.run, "recorder") or {})["state"] == "stopped"


def test_it_waits_for_a_plan_and_stops_without_one(station: Station) -> None:
    station.start()
    station.wait_until(lambda: heartbeats.read(station.loaded.home.run, "recorder"))

    station.end()


def test_after_a_sleep_of_the_machine_it_joins_again_and_ends_in_time(
    station: Station, sender: multicast.MulticastSender, caplog: pytest.LogCaptureFixture
) -> None:
    slept = 0.0

    def clocks() -> timeline.Reading:
        now = recorder.read_clocks()
        return timeline.Reading(wall=now.wall + slept, mono=now.mono + slept, slept=now.slept + slept)

    station.clocks = clocks
    station.plan(channel(sender, seconds=30))
    station.start()
    sender.start()
    station.wait_until(station.receives)
    caplog.set_level("INFO")
    slept = 20.0
    station.wait_until(lambda: "The machine slept" in caplog.text)
    size = len(station.recorded())
    station.wait_until(lambda: len(station.recorded()) > size)
    assert multicast.join_count(sender.group) == 1
    station.wait_until(lambda: not station.shown(), timeout=15)

    after = [second for second in station.seconds() if second.bytes]
    assert (after[-1].utc - after[0].utc).total_seconds() > 20


def test_a_clock_that_stands_still_while_bytes_flow_is_told(
    station: Station, sender: multicast.MulticastSender
) -> None:
    frozen = [transport.packet(0x101, 0, adaptation=transport.pcr_field(5 * 27_000_000), has_payload=False)]
    made = multicast.MulticastSender(
        sender.group, sender.port, source=b"".join(frozen * 700), bits_per_second=1e6, loop=True, keep=False
    )
    station.plan(channel(sender))
    station.start()
    with made:
        station.wait_until(lambda: station.shown() and station.shown()[0]["problem"] == "frozen-clock", timeout=25)
        assert station.shown()[0]["state"] == "receiving"


def test_a_unicast_address_and_ipv6_are_recorded(station: Station) -> None:
    content = transport.stream(700)
    start = clock.now()
    window = plan.Window(1, start, start + timedelta(seconds=60))
    targets = {
        "four": (socket.AF_INET, "127.0.0.1", "udp://127.0.0.1:{}"),
        "six": (socket.AF_INET6, "::1", "udp://[::1]:{}"),
    }
    ports = {slug: multicast.free_port() for slug in targets}
    station.plan(
        *(plan.Channel(slug, slug, url.format(ports[slug]), "", (window,)) for slug, (_, _, url) in targets.items())
    )
    station.start()
    station.wait_until(lambda: len(station.shown()) == 2)

    for slug, (family, host, _) in targets.items():
        with socket.socket(family, socket.SOCK_DGRAM) as out:
            for place in range(0, len(content), 5 * 188):  # not the usual seven packets
                out.sendto(content[place : place + 5 * 188], (host, ports[slug]))

    station.wait_until(lambda: all(station.recorded(slug) == content for slug in targets))
