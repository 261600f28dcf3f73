"""Starting and stopping: one at a time, in words."""

from __future__ import annotations

import json
import socket
import subprocess
from pathlib import Path

import pytest

from tests.support import waiting
from tests.support.station import NEPHOS, Station


def refused(station: Station, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command that must fail without a traceback."""
    done = station.run(*arguments, check=False)
    assert done.returncode != 0
    assert "Traceback" not in done.stderr + done.stdout
    return done


def test_a_second_start_says_who_holds_the_home(station: Station) -> None:
    station.start()

    done = refused(station, "start")

    assert done.returncode == 5
    assert station.process is not None
    assert str(station.process.pid) in done.stderr


def test_start_beside_a_running_recorder_is_refused(station: Station) -> None:
    station.run("init")
    recorder = subprocess.Popen([*NEPHOS, "run", "recorder"], env=station.environment, stderr=subprocess.DEVNULL)
    try:
        waiting.until(lambda: station.pid_of("recorder"), seconds=20, what="the recorder")

        done = refused(station, "start")

        assert done.returncode == 5
        assert str(recorder.pid) in done.stderr
        assert station.pid_of("sync") is None
    finally:
        recorder.terminate()
        recorder.wait(timeout=20)


def test_stop_ends_every_role(station: Station) -> None:
    station.start()
    pids = [station.pid_of(role) for role in ("recorder", "sync", "farm", "keeper", "web")]

    done = station.run("stop")

    assert done.returncode == 0
    assert station.process is not None
    assert station.process.wait(timeout=10) == 0
    assert all(pid is not None and not Path(f"/proc/{pid}").exists() for pid in pids)


def test_detached_start_comes_back_with_the_address(station: Station) -> None:
    done = station.run("start", "--detach")
    try:
        assert f"http://127.0.0.1:{station.port}/login/" in done.stdout
        assert station.json("status")["running"] is True
        settings = station.root / "config/nephos.toml"
        assert "# min_percent = 5" in settings.read_text()
        assert settings.stat().st_mode & 0o777 == 0o600
    finally:
        station.run("stop", "--now")


def test_a_home_that_was_begun_with_its_settings_alone_can_be_worked_with(station: Station) -> None:
    (station.root / "config").mkdir(parents=True)
    (station.root / "config/nephos.toml").write_text('[station]\nname = "hill"\n')

    assert station.json("channel", "list") == []


def test_status_of_a_stopped_station_works(station: Station) -> None:
    station.run("init")

    assert station.json("status")["running"] is False


def test_a_taken_port_is_one_sentence_and_nothing_starts(station: Station) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", station.port))
        other.listen()

        done = refused(station, "start")

    assert done.returncode == 5
    assert str(station.port) in done.stderr
    assert "hint:" in done.stderr
    assert station.pid_of("recorder") is None


def test_an_address_that_is_not_ours_is_told_from_a_taken_port(station: Station) -> None:
    station.environment["NEPHOS_WEB_HOST"] = "192.0.2.7"

    done = refused(station, "start")

    assert done.returncode == 5
    assert "no address of this machine" in done.stderr


def test_a_home_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("not a folder")

    done = refused(Station(in_the_way / "home"), "start")

    assert done.returncode == 5
    assert "hint:" in done.stderr


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("[web]\nprt = 1\n", "prt"),
        ("[farm]\nslots = 'many'\n", "farm.slots"),
        ("[web\n", "TOML"),
        ("[watch.x]\nsets = true\ndestinations = ['nowhere']\n", "nowhere"),
        ("[station]\nzone = 'Mars/Olympus'\n", "Mars/Olympus"),
        ("[connection.x]\nkind = 'zip'\n", "zip"),
    ],
)
def test_bad_settings_are_refused_with_the_key(station: Station, text: str, word: str) -> None:
    station.run("init")
    (station.root / "config/nephos.toml").write_text(text)

    done = refused(station, "start")

    assert done.returncode == 2
    assert word in done.stderr
    assert station.pid_of("recorder") is None


def test_doctor_names_a_missing_ffmpeg(station: Station, tmp_path: Path) -> None:
    station.run("init")
    station.environment["PATH"] = str(tmp_path)

    done = refused(station, "doctor", "--json")

    findings = {finding["name"]: finding for finding in json.loads(done.stdout)}
    assert findings["ffmpeg"]["state"] == "fail"
    assert findings["ffmpeg"]["hint"]


def test_a_crashed_role_is_started_again(station: Station) -> None:
    station.start()
    old = station.kill_role("keeper")

    fresh = waiting.until(
        lambda: (pid := station.pid_of("keeper")) and pid != old and pid, seconds=20, what="a new keeper"
    )

    assert fresh != old
    assert Path(f"/proc/{fresh}").exists()
