"""Roles as child processes: started again when they end, at once the first time, then with patience."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest

from nephos.config import load
from nephos.daemon.children import Children
from nephos.lib import locks
from tests.support import waiting


@pytest.fixture
def children(home: load.Loaded) -> Iterator[Children]:
    made = Children(home)
    yield made
    made.stop("recorder", grace=timedelta(seconds=5))


def holder(home: load.Loaded) -> int | None:
    """The recorder that has its lock now."""
    lock = locks.FileLock(home.home.run / "recorder.lock")
    return lock.holder() if lock.is_held() else None


def test_a_killed_role_is_back_at_once(children: Children, home: load.Loaded) -> None:
    children.start("recorder")
    first = waiting.until(lambda: holder(home), seconds=10, what="the recorder")

    os.kill(first, signal.SIGKILL)
    children.watch(5)
    second = waiting.until(lambda: holder(home) not in (None, first) and holder(home), seconds=10, what="another one")

    assert second != first
    assert children.alive() == ["recorder"]


def test_the_recorder_goes_first_from_its_first_instruction_on(children: Children) -> None:
    code = "from nephos.lib import ports; print(ports.go_first())"
    may = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()

    children.start("recorder")

    process = children._all["recorder"].process
    assert process is not None
    assert (os.getpriority(os.PRIO_PROCESS, process.pid) < 0) == (may == "True")


def test_a_role_that_cannot_run_is_tried_again_with_patience(children: Children, home: load.Loaded) -> None:
    home.home.config_file.write_text("[broken")
    started = time.monotonic()

    children.start("recorder")
    ends = 0
    while time.monotonic() - started < 3:
        before = children.alive()
        children.watch(0.1)
        ends += before == ["recorder"] and children.alive() == []

    assert 2 <= ends <= 4


def test_a_recorder_that_keeps_being_killed_is_never_away_for_long(
    children: Children, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(children, "_spawn", lambda _role: subprocess.Popen(["sleep", "60"]))
    children.start("recorder")
    waits = []
    for _ in range(8):
        [child] = children._all.values()
        assert child.process is not None
        child.process.kill()
        killed = time.monotonic()
        while not (children.alive() and child.process is not None and child.process.poll() is None):
            children.watch(0.2)
        waits.append(time.monotonic() - killed)

    assert waits[0] < 0.5
    assert max(waits) < 2.5


def test_a_stopped_role_stays_stopped(children: Children, home: load.Loaded) -> None:
    children.start("recorder")
    pid = waiting.until(lambda: holder(home), seconds=10, what="the recorder")

    children.stop("recorder", grace=timedelta(seconds=5))
    children.watch(0.5)

    assert children.alive() == []
    assert holder(home) is None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
