"""One holder at a time; children that end."""

from __future__ import annotations

import os
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from nephos.lib import backoff, children, clock, errors, heartbeats, ids, locks, ports


@pytest.mark.skipif(ports.fcntl is None, reason="the twin of this lock is msvcrt's, which only Windows has")
def test_a_second_holder_is_refused_with_the_pid_of_the_first(tmp_path: Path) -> None:
    path = tmp_path / "recorder.lock"
    with locks.FileLock(path).acquire():
        other = locks.FileLock(path)
        with pytest.raises(errors.AlreadyRunning, match=str(os.getpid())):
            other.acquire()
        assert other.is_held()

    assert not other.is_held()
    other.acquire().release()


def test_a_program_that_is_missing_says_how_to_install_it() -> None:
    with pytest.raises(children.ProgramMissing) as caught:
        children.find("no-such-program")

    assert "no-such-program" in caught.value.message
    assert caught.value.hint


def test_a_child_streams_its_complaints_and_returns_its_output() -> None:
    lines: list[str] = []
    code = "import sys; print('out'); print('one\\ntwo', file=sys.stderr); sys.exit(3)"

    outcome = children.run([sys.executable, "-c", code], timeout=timedelta(seconds=20), on_line=lines.append)

    assert (outcome.code, outcome.stdout, lines) == (3, b"out\n", ["one", "two"])
    assert outcome.stderr_tail == "one\ntwo"


def test_a_child_that_hangs_is_ended_with_its_own_children() -> None:
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(60)'])"
    started = clock.monotonic()

    with pytest.raises(errors.TimedOut):
        children.run([sys.executable, "-c", code], timeout=timedelta(seconds=0.5))

    assert clock.monotonic() - started < 10


def test_delays_grow_to_a_ceiling_and_the_first_may_be_none() -> None:
    plan = backoff.Backoff(first=timedelta(seconds=1), most=timedelta(seconds=60), at_once=True)

    assert plan.delay(0) == timedelta(0)
    for failures in range(1, 100):
        assert timedelta(seconds=1) <= plan.delay(failures) <= timedelta(seconds=60)


def test_ids_sort_by_birth_and_differ() -> None:
    made = [ids.new() for _ in range(1000)]

    assert len(set(made)) == 1000
    assert all(len(one) == 20 for one in made)
    assert [one[:9] for one in made] == sorted(one[:9] for one in made)


def test_a_heartbeat_is_written_at_most_once_a_second(tmp_path: Path) -> None:
    heart = heartbeats.Heartbeat(tmp_path, "sync")
    heart.beat(details={"rate": 1})
    heart.beat(details={"rate": 2})

    beat = heartbeats.read(tmp_path, "sync")
    assert beat is not None
    assert beat["details"] == {"rate": 1}
    assert clock.parse(beat["beat_at"]) <= clock.now()
    assert heartbeats.read(tmp_path, "web") is None


def test_a_heartbeat_that_cannot_be_written_ends_nobody(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = tmp_path / "run"
    heart = heartbeats.Heartbeat(folder, "sync")
    heart.beat(now=True)
    heart.beat(now=True)
    assert len(caplog.records) == 1

    folder.mkdir()
    heart.beat(now=True)

    assert heartbeats.read(folder, "sync") is not None


def test_a_missing_program_names_its_package() -> None:
    with pytest.raises(children.ProgramMissing) as caught:
        children.find("no-such-program")

    assert caught.value.hint.endswith("apt-get install no-such-program")
    assert children.package_of("ffprobe") == "ffmpeg"


def test_moments_survive_being_written() -> None:
    moment = clock.parse("2026-11-22T19:16:20.125Z")

    assert clock.stamp(moment) == "2026-11-22T19:16:20.125Z"
    assert clock.compact(moment) == "20261122T191620Z"
    with pytest.raises(ValueError, match="zone"):
        clock.parse("2026-11-22T19:16:20")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other priorities")
def test_a_process_goes_first_where_it_may_and_else_stays_as_it_is() -> None:
    code = (
        "import os; from nephos.lib import ports; look = lambda: os.getpriority(os.PRIO_PROCESS, 0);"
        "before = look(); went = ports.go_first(); print(int(went), before, look())"
    )

    outcome = children.run([sys.executable, "-c", code], timeout=timedelta(seconds=60))

    went, before, after = map(int, outcome.stdout.split())
    assert after == (-10 if went else before)
