"""Loops rest while nothing is committed, and are woken when something is."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from nephos.core import doorbell, loops
from nephos.lib import clock, heartbeats
from tests.support import waiting

FOREVER = timedelta(hours=1)


def commit(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("CREATE TABLE IF NOT EXISTS things (name TEXT)")
        database.execute("INSERT INTO things VALUES ('one')")
    database.close()


def rings(bell: doorbell.Doorbell) -> bool:
    before = bell.count
    bell.look()
    return bell.count > before


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "nephos.db"
    commit(path)
    return path


def test_it_rings_once_for_a_commit_of_anybody_and_for_a_saved_file(database: Path, tmp_path: Path) -> None:
    settings = tmp_path / "nephos.toml"
    bell = doorbell.Doorbell([database], [settings])

    assert [rings(bell) for _ in range(3)] == [True, False, False]
    commit(database)
    assert [rings(bell) for _ in range(2)] == [True, False]
    settings.write_text("[web]")
    assert [rings(bell) for _ in range(2)] == [True, False]
    bell.end()


def test_another_database_under_the_name_is_noticed(database: Path) -> None:
    bell = doorbell.Doorbell([database])
    rings(bell)
    fresh = database.with_name("fresh.db")
    commit(fresh)
    fresh.replace(database)

    assert [rings(bell) for _ in range(2)] == [True, False]
    commit(database)
    assert rings(bell)
    bell.end()


@pytest.mark.parametrize("content", [None, b"this is no database at all, whatever its name says"])
def test_where_nothing_can_be_told_it_rings_each_time(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "other.db"
    if content is not None:
        path.write_bytes(content)
    for bell in (doorbell.Doorbell([]), doorbell.Doorbell([path])):
        assert [rings(bell) for _ in range(3)] == [True, True, True]
        bell.end()


def test_a_step_of_the_clock_rings(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bell = doorbell.Doorbell([database])
    rings(bell)
    real = clock.unix
    monkeypatch.setattr(clock, "unix", lambda: real() + 30)

    assert [rings(bell) for _ in range(2)] == [True, False]
    bell.end()


class Counting:
    """A loop that counts its steps."""

    name = "counting"
    idle = timedelta(seconds=0.01)

    def __init__(self, rest: timedelta) -> None:
        self.rest = rest
        self.steps = 0

    def step(self) -> bool:
        self.steps += 1
        return False


@pytest.fixture
def running(database: Path, tmp_path: Path) -> Iterator[list[Counting]]:
    """One that rests and one that does not, until the test is over."""
    made = [Counting(FOREVER), Counting(timedelta(0))]
    stop = threading.Event()
    beat = heartbeats.Heartbeat(tmp_path, "keeper")
    bell = doorbell.Doorbell([database])
    thread = threading.Thread(target=loops.run, args=(made,), kwargs={"stop": stop, "heartbeat": beat, "bell": bell})
    thread.start()
    yield made
    stop.set()
    thread.join(30)
    assert not thread.is_alive()  # one that rests for an hour is woken to end


def test_a_loop_that_rests_is_stepped_when_something_was_committed(running: list[Counting], database: Path) -> None:
    resting, busy = running
    waiting.until(lambda: busy.steps > 100, seconds=60, what="the busy loop to go on")
    calm = resting.steps

    commit(database)

    waiting.until(lambda: resting.steps > calm, seconds=60, what="the resting loop to wake")
    assert resting.steps < 20
    assert busy.steps > 100


def test_a_commit_during_a_step_is_not_overheard(database: Path) -> None:
    bell = doorbell.Doorbell([database])
    rings(bell)
    heard = bell.count
    commit(database)
    bell.look()
    began = time.monotonic()

    bell.wait(heard, seconds=3600)

    assert time.monotonic() - began < 1800
    bell.end()
