"""One evening on the air, all at once: S1, S3, S4, S5 and S10 of the acceptance scenarios, on one station."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from nephos.client import http
from nephos.lib import clock
from tests.fakes import multicast
from tests.support import waiting
from tests.support.station import Station

RATE = 1e6
LATE = 4.0


class Lossy(multicast.MulticastSender):
    """Five of a hundred datagrams get lost on the way while `loses` is set."""

    loses = False

    def _send(self, payload: bytes) -> None:
        if self.loses and self._sequence % 20 == 7:
            self._sequence += 1
            return
        super()._send(payload)


class Evening:
    """What was sent, what came of it, and how often the wire was joined."""

    def __init__(self, station: Station) -> None:
        self.station = station
        self.port = multicast.free_port()
        self.senders: dict[str, multicast.MulticastSender] = {}
        self.joins: set[int] = set()
        self.lossy: tuple[float, float] = (0, 0)

    def air(self, name: str, *, rtp: bool = False, kind: type[multicast.MulticastSender] | None = None) -> None:
        sender = (kind or multicast.MulticastSender)(
            multicast.free_group(), self.port, bits_per_second=RATE, rtp=rtp, salt=len(self.senders) + 1
        )
        self.senders[name] = sender
        self.call("POST", "/channels", {"name": name, "address": f"{sender.url}?interface=127.0.0.1"})

    def call(self, method: str, path: str, body: object = None) -> Any:
        """The API itself: a command each would take too long on a busy machine."""
        return http.Client(http.UnixSocket(self.station.root / "run/api.sock")).call(method, path, body=body)

    def row(self, title: str) -> dict[str, Any]:
        """The recording of this title, with its files."""
        [found] = [row for row in self.call("GET", "/recordings") if row["title"] == title]
        whole: dict[str, Any] = self.call("GET", f"/recordings/{found['id']}")
        return whole

    def path(self, title: str, kind: str = "recording") -> Path:
        [file] = [file for file in self.row(title)["files"] if file["kind"] == kind]
        return self.station.root / file["place"] / file["path"]

    def content(self, title: str) -> bytes:
        return self.path(title).read_bytes()

    def watch_joins(self, name: str, until: threading.Event) -> None:
        """How many sockets have joined a channel's group, from the first to the last."""
        while not until.wait(0.02):
            count = multicast.join_count(self.senders[name].group)
            if count:
                self.joins.add(count)


@pytest.fixture(scope="module")
def evening(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Evening]:
    station = Station(tmp_path_factory.mktemp("evening") / "home")
    (station.root / "config").mkdir(parents=True)
    (station.root / "config/nephos.toml").write_text(
        '[recording]\npipeline = ""\n[maintenance.signal]\nsilent_seconds = 1\n'
    )
    made = Evening(station)
    try:
        station.start()
        for name in ("Late", "Twins", "East", "North", "West"):
            made.air(name)
        made.air("Wrapped", rtp=True)
        made.air("Rain", kind=Lossy)
        made.air("Kept")
        made.call("PATCH", "/channels/Kept", {"buffer_seconds": 120})
        play(made)
        yield made
    finally:
        for sender in made.senders.values():
            sender.stop()
        station.stop()


def play(evening: Evening) -> None:
    """Everybody sends but Late, who comes four seconds after the others; and all of it is recorded."""
    over = threading.Event()
    for name, sender in evening.senders.items():
        if name != "Late":
            sender.start()
    start = (clock.now() + timedelta(seconds=8)).replace(microsecond=0)
    for name, begins in (("First", start), ("Second", start + timedelta(seconds=5))):
        times = {"date": f"{begins:%Y-%m-%d}", "start": f"{begins:%H:%M:%S}", "zone": "UTC", "duration_seconds": 5}
        padding = {"padding_before_seconds": 2, "padding_after_seconds": 2}
        evening.call("POST", "/schedules", {"channel": "Twins", "name": name, **times, **padding})
    watcher = threading.Thread(target=evening.watch_joins, args=("Twins", over))
    watcher.start()
    for name in ("Late", "East", "North", "West", "Wrapped", "Rain"):
        evening.call("POST", "/record", {"channel": name, "duration_seconds": 12, "starts_at": clock.stamp(start)})
    time.sleep(max(0.0, start.timestamp() + LATE - time.time()))
    evening.senders["Late"].start()
    rain = evening.senders["Rain"]
    assert isinstance(rain, Lossy)
    rain.loses = True
    time.sleep(3)
    rain.loses = False
    evening.lossy = (start.timestamp() + LATE, time.time())

    def all_judged() -> bool:
        return sum(1 for row in evening.call("GET", "/recordings") if row["recording"]["verdict"]) == 8

    try:
        waiting.until(all_judged, seconds=60, what="eight verdicts")
    finally:
        over.set()
        watcher.join()


def test_s1_a_sender_that_comes_late_is_recorded_from_then_on(evening: Evening) -> None:
    recording = evening.row("Late")["recording"]

    assert recording["verdict"] == "complete_with_gaps"
    gap, *_ = recording["gaps"]
    assert gap["cause"] == "no signal"
    assert gap["start"] == recording["starts_at"]
    assert LATE - 1 <= gap["seconds"] <= LATE + 2
    assert evening.senders["Late"].sent.startswith(evening.content("Late"))


def test_s1_its_silence_is_one_alert_and_one_recovery(evening: Evening) -> None:
    channel = evening.call("GET", "/channels/Late")
    told = [
        event["kind"]
        for event in sorted(evening.call("GET", "/events?limit=1000"), key=lambda event: event["id"])
        if event["kind"] in ("problem.opened", "problem.closed")
        and event["data"]["about"] == f"channel:{channel['id']}"
    ]

    # One alert for all of the silence. (On a machine so busy that the sender itself stands still another may follow.)
    assert told[:2] == ["problem.opened", "problem.closed"]
    assert channel["status"] == "up"


def test_s3_neighbours_share_their_padding_and_one_join(evening: Evening) -> None:
    first, second, sent = evening.content("First"), evening.content("Second"), evening.senders["Twins"].sent
    shared = len(first) - first.index(second[: 188 * 20])

    for name in ("First", "Second"):  # on a busy machine the sender itself may be late; nothing of it may be lost
        assert {gap["cause"] for gap in evening.row(name)["recording"]["gaps"]} <= {"no signal"}
    assert first[-shared:] == second[:shared]
    assert shared * 8 / RATE == pytest.approx(4.0, abs=1.5)
    assert len(first) * 8 / RATE == pytest.approx(9.0, abs=1.5)
    assert first + second[shared:] in sent
    assert evening.joins == {1}


def test_s4_channels_on_one_port_never_mix(evening: Evening) -> None:
    for name in ("East", "North", "West"):
        assert evening.row(name)["recording"]["verdict"].startswith("complete")
        assert evening.content(name) in evening.senders[name].sent
        assert len(evening.content(name)) * 8 / RATE == pytest.approx(12.0, abs=1.5)


def test_s5_rtp_that_was_called_udp_becomes_a_clean_stream(evening: Evening) -> None:
    content = evening.content("Wrapped")

    assert evening.row("Wrapped")["recording"]["verdict"].startswith("complete")
    assert content in evening.senders["Wrapped"].sent
    assert all(content[place] == 0x47 for place in range(0, len(content), 188))


def test_s10_lost_datagrams_lower_the_score_and_show_when(evening: Evening) -> None:
    recording = evening.row("Rain")["recording"]
    manifest = json.loads(evening.path("Rain", "recording-manifest").read_bytes())
    errors = {clock.parse(utc).timestamp(): cc for utc, _, _, cc in manifest["seconds"]}
    start, end = evening.lossy

    assert recording["score"] <= 80
    assert manifest["grade"] == recording["grade"]
    assert recording["grade"] in "CDEF"
    assert "continuity errors" in recording["reason"]
    assert sum(errors.values()) > 0
    assert all(start - 1 <= second <= end for second, cc in errors.items() if cc)
    good = {row["title"] for row in evening.station.json("recording", "list", "--grade", "A,B")}
    assert "Rain" not in good
    assert good & {"First", "Second", "East", "North", "West", "Wrapped"}


def test_a_programme_is_recorded_after_it_aired(evening: Evening) -> None:
    evening.station.run("record", "Kept", "--from", "-15s", "--duration", "6s", "--title", "Just now")

    def judged() -> bool:
        rows = evening.call("GET", "/recordings")
        return any(row["title"] == "Just now" and row["recording"]["verdict"] for row in rows)

    waiting.until(judged, seconds=20, what="the verdict")
    content = evening.content("Just now")
    assert content in evening.senders["Kept"].sent
    assert len(content) * 8 / RATE == pytest.approx(6.0, abs=1.5)
