"""kill -9 at the worst moments: one recording, an honest gap, nothing lost, nothing done twice."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from nephos.lib import clock
from tests.fakes import broadcast
from tests.support import storage, waiting
from tests.support.station import Station

pytestmark = pytest.mark.alone

GROUP = f"239.255.{random.randrange(1, 250)}.{random.randrange(1, 250)}"
PORT = 5004


@pytest.fixture
def on_air() -> Iterator[None]:
    """The test broadcast, for as long as any of these tests may take."""
    with broadcast.on_air(group=GROUP, port=PORT, seconds=170):
        yield


@pytest.fixture
def ready(station: Station, on_air: None, tmp_path: Path) -> Station:
    """A running station with a channel and a shelf."""
    station.start()
    storage.add_channel(station, "One", group=GROUP, port=PORT)
    storage.deliver_to_folder(station, tmp_path / "shelf")
    return station


def record(station: Station, seconds: int) -> None:
    """Begin a recording and wait until its bytes flow."""
    station.run("record", "One", "--duration", f"{seconds}s")

    def flowing() -> bool:
        receivers = station.beat("recorder").get("details", {}).get("receivers", [])
        return any(r["state"] == "receiving" and r["bookings"] for r in receivers)

    waiting.until(flowing, seconds=20, what="the first bytes")


def test_a_killed_recorder_costs_less_than_a_second(ready: Station) -> None:
    record(ready, 12)
    time.sleep(4)

    ready.kill_role("recorder")
    row = ready.await_recording(["delivered"], seconds=90)

    assert len(ready.recordings()) == 1
    recording = row["recording"]
    assert recording["verdict"] == "complete_with_gaps"
    assert len(recording["gaps"]) == 1, recording["gaps"]
    assert recording["gaps"][0]["seconds"] < 1.0, recording["gaps"]


def test_killing_every_other_role_leaves_no_gap(ready: Station) -> None:
    record(ready, 14)

    for role in ("keeper", "farm", "web", "sync"):
        time.sleep(1.5)
        ready.kill_role(role)
    row = ready.await_recording(["delivered"], seconds=90)

    assert len(ready.recordings()) == 1
    assert row["recording"]["gaps"] == []
    assert row["recording"]["verdict"] == "complete"


def test_a_killed_station_resumes_within_five_seconds_of_its_next_start(ready: Station) -> None:
    record(ready, 22)
    time.sleep(4)
    old = {role: ready.pid_of(role) for role in ("recorder", "sync", "farm", "keeper", "web")}

    ready.kill()
    killed_at = clock.unix()
    ready.start()
    row = ready.await_recording(["delivered"], seconds=120)

    assert all(pid is not None and not Path(f"/proc/{pid}").exists() for pid in old.values())
    assert len(ready.recordings()) == 1
    gaps = row["recording"]["gaps"]
    assert len(gaps) == 1, gaps
    assert gaps[0]["seconds"] < 5.0, (gaps, killed_at)


def test_a_farm_killed_in_the_middle_processes_once(ready: Station, tmp_path: Path) -> None:
    record(ready, 6)
    ready.await_recording(["processing"], seconds=60)

    def busy() -> list[str]:
        jobs = ready.json("job", "list")
        return [job["id"] for job in jobs if job["state"] == "running"]

    waiting.until(busy, seconds=30, what="a running job")
    ready.kill_role("farm")
    row = ready.await_recording(["delivered"], seconds=150)

    kinds = [file["kind"] for file in row["files"]]
    assert kinds.count("video") == 1
    assert len(ready.json("job", "list")) == 1
    delivered = sorted(path.name for path in (tmp_path / "shelf").rglob("*") if path.is_file())
    assert delivered == sorted(file["name"] for file in row["files"])


def test_recordings_hold_no_bytes_of_their_own_making(ready: Station) -> None:
    record(ready, 8)
    time.sleep(2)
    ready.kill_role("recorder")
    row = ready.await_recording(["delivered"], seconds=90)

    files = {file["kind"]: ready.root / file["place"] / file["path"] for file in row["files"]}
    content = files["recording"].read_bytes()
    manifest = json.loads(files["recording-manifest"].read_bytes())

    assert len(content) % 188 == 0
    assert all(content[offset] == 0x47 for offset in range(0, len(content), 188))
    assert manifest["bytes"] == len(content) == files["recording"].stat().st_size
