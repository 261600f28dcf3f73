"""What only waits is told after a while, once; and its end only when there is proof of it."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from nephos.config import load
from nephos.config.live import Live
from nephos.events import log
from nephos.lib import clock, locks
from nephos.maintenance import in_force, programs, waiting
from nephos.monitoring import queries
from nephos.sync import database

pytestmark = pytest.mark.django_db

Settle = Callable[..., load.Loaded]
Beats = Callable[..., None]

SETTINGS = """
[connection.shelf]
kind = "file"
[destination.vault]
connection = "shelf"
base = "/srv/vault"
[watch.tv]
sets = true
destinations = ["vault"]
[maintenance.deliveries]
waiting_seconds = 100
"""
DOWN = {"name": "vault", "state": "waiting", "cause": "The server says no. Is the key right?"}
WELL = {"name": "vault", "state": "ready", "cause": ""}


class Clock:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.mono = 1000.0
        monkeypatch.setattr(waiting.clock, "monotonic", lambda: self.mono)


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
def sync_lives(settle: Settle) -> Iterator[load.Loaded]:
    loaded = settle(SETTINGS)
    with locks.FileLock(loaded.home.run / "sync.lock"):
        yield loaded


def opened() -> list[str]:
    return [view.key for view in queries.problems()]


def happened() -> list[str]:
    return [entry.kind for entry in log.read(kind="problem.")]


def row(loaded: load.Loaded, path: str, *, state: str, attempts: int = 0, failed: timedelta | None = None) -> None:
    """A path in the journal that failed so often, the first time so long ago."""
    now = clock.stamp(clock.now())
    with contextlib.closing(database.connect(loaded.home.sync_database)) as db:
        db.execute("INSERT OR IGNORE INTO mappings (watch, destination, identity) VALUES ('tv', 'vault', '')")
        made = db.execute(
            "INSERT INTO paths (watch, destination, path, source, state, attempts, cause, changed_at, change)"
            " VALUES ('tv', 'vault', ?, x'', ?, ?, 'Slow down.', ?, 1)",
            (path.encode(), state, attempts, now),
        )
        for number in range(attempts if failed is not None else 0):
            at = clock.now() - (failed if number == 0 else timedelta(seconds=1))
            db.execute(
                "INSERT INTO attempts (path_id, at, action, what) VALUES (?, ?, 'send', 'Slow down.')",
                (made.lastrowid, clock.stamp(at)),
            )


def deliver(loaded: load.Loaded) -> None:
    with contextlib.closing(database.connect(loaded.home.sync_database)) as db:
        db.execute("UPDATE paths SET state = 'delivered', attempts = 0")
        db.execute(
            "INSERT INTO receipts (watch, destination, path, set_id, fingerprint, key, bytes, sha256, etag, version,"
            " proof, at) VALUES ('tv', 'vault', x'61', '', '', '', 1, '', '', '', 'sent', ?)",
            (clock.stamp(clock.now() + timedelta(seconds=1)),),
        )


def test_a_destination_that_is_down_for_long_is_told_once_with_its_cause(
    sync_lives: load.Loaded, beats: Beats, time: Clock
) -> None:
    row(sync_lives, "a", state="waiting")
    check = waiting.Waiting()
    for seconds in (0, 60, 39):
        time.mono += seconds
        beats(sync_lives, "sync", destinations=[DOWN])
        check.check(sync_lives)
    assert opened() == []

    time.mono += 2
    check.check(sync_lives)
    check.check(sync_lives)
    found = queries.problems()[0]
    assert (found.key, happened()) == ("delivery.waiting:vault", ["problem.opened"])
    assert found.reason == "The server says no. Is the key right? 1 file to be delivered there."
    assert "nephos connection test shelf" in found.hint

    deliver(sync_lives)
    beats(sync_lives, "sync", destinations=[WELL])
    check.check(sync_lives)
    check.check(sync_lives)
    assert happened() == ["problem.opened", "problem.closed"]


def test_a_short_trouble_is_not_told(sync_lives: load.Loaded, beats: Beats, time: Clock) -> None:
    check = waiting.Waiting()
    for report in (DOWN, WELL, DOWN, WELL):
        time.mono += 70
        beats(sync_lives, "sync", destinations=[report])
        check.check(sync_lives)

    assert happened() == []


def test_peace_without_a_delivery_is_not_the_end_of_it(sync_lives: load.Loaded, beats: Beats, time: Clock) -> None:
    row(sync_lives, "a", state="ready")
    check = waiting.Waiting()
    for report in (DOWN, DOWN, WELL, WELL):
        time.mono += 101
        beats(sync_lives, "sync", destinations=[report])
        check.check(sync_lives)
    assert opened() == ["delivery.waiting:vault"]
    assert queries.problems()[0].reason.startswith("The server says no.")  # also while nobody knows it better

    deliver(sync_lives)
    check.check(sync_lives)
    assert opened() == []


def test_a_keeper_that_starts_anew_neither_ends_it_nor_tells_it_again(
    sync_lives: load.Loaded, beats: Beats, time: Clock
) -> None:
    row(sync_lives, "a", state="waiting")
    blind = {"name": "tv", "cause": "The watched folder is not there."}
    check = waiting.Waiting()
    for _ in range(2):
        beats(sync_lives, "sync", destinations=[DOWN], watches=[blind])
        check.check(sync_lives)
        time.mono += 101
    waiting.Waiting().check(sync_lives)

    assert happened() == ["problem.opened", "problem.opened"]
    assert sorted(opened()) == ["delivery.folder:tv", "delivery.waiting:vault"]


def test_while_sync_does_not_live_nothing_changes(settle: Settle, beats: Beats, time: Clock) -> None:
    loaded, check = settle(SETTINGS), waiting.Waiting()
    row(loaded, "a", state="waiting")
    with locks.FileLock(loaded.home.run / "sync.lock"):
        for _ in range(2):
            beats(loaded, "sync", destinations=[DOWN])
            check.check(loaded)
            time.mono += 101
    check.check(loaded)

    assert opened() == ["delivery.waiting:vault"]


def test_a_destination_that_is_no_longer_wanted_is_no_problem(
    sync_lives: load.Loaded, beats: Beats, time: Clock
) -> None:
    check = waiting.Waiting()
    for reports in ([DOWN], [DOWN], []):
        beats(sync_lives, "sync", destinations=reports)
        check.check(sync_lives)
        time.mono += 101

    assert happened() == ["problem.opened", "problem.closed"]


def test_a_file_that_is_tried_in_vain_for_long_is_told_though_the_destination_answers(
    sync_lives: load.Loaded, beats: Beats, time: Clock
) -> None:
    row(sync_lives, "young.ts", state="waiting", attempts=3, failed=timedelta(seconds=50))
    check = waiting.Waiting()
    beats(sync_lives, "sync", destinations=[WELL])
    check.check(sync_lives)
    assert opened() == []

    row(sync_lives, "old.ts", state="waiting", attempts=9, failed=timedelta(seconds=150))
    check.check(sync_lives)
    assert queries.problems()[0].reason == "old.ts: Slow down. 2 files to be delivered there."


def test_what_a_person_paused_is_not_stuck(sync_lives: load.Loaded, beats: Beats, time: Clock) -> None:
    row(sync_lives, "old.ts", state="waiting", attempts=9, failed=timedelta(seconds=150))
    with contextlib.closing(database.connect(sync_lives.home.sync_database)) as db:
        db.execute("INSERT INTO pauses (watch, destination, path) VALUES ('tv', '', x'')")
    beats(sync_lives, "sync", destinations=[WELL])
    waiting.Waiting().check(sync_lives)

    assert opened() == []


def test_a_folder_that_is_gone_is_told_until_it_is_back(sync_lives: load.Loaded, beats: Beats, time: Clock) -> None:
    check = waiting.Waiting()
    for cause in ("The watched folder is not there.", "The watched folder is not there.", ""):
        beats(sync_lives, "sync", watches=[{"name": "tv", "cause": cause}])
        check.check(sync_lives)
        time.mono += 101

    assert happened() == ["problem.opened", "problem.closed"]


def test_what_sync_alone_refuses_is_a_problem_until_it_is_mended(sync_lives: load.Loaded, beats: Beats) -> None:
    check = in_force.InForce(Live(sync_lives))
    for refusal in ("Watch tv needs an absolute folder.", "Watch tv needs an absolute folder.", ""):
        beats(sync_lives, "sync", settings_refused=refusal)
        check.check(sync_lives)
        if refusal:
            assert queries.problems()[0].reason == refusal

    assert happened() == ["problem.opened", "problem.closed"]


def test_a_program_that_is_gone_is_told_at_the_second_look(settle: Settle, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded, check = settle(), programs.Programs()
    find = shutil.which
    with monkeypatch.context() as gone:
        gone.setattr(shutil, "which", lambda name: None if name == "ffmpeg" else find(name))
        check.check(loaded)
        assert opened() == []
        check.check(loaded)
        check.check(loaded)
        programs.Programs().check(loaded)  # a keeper that starts anew knows of it

        found = queries.problems()[0]
        assert found.key == "program.missing:ffmpeg"
        assert "apt-get install ffmpeg" in found.hint
    check.check(loaded)
    assert happened() == ["problem.opened", "problem.closed"]


@pytest.mark.parametrize(
    ("settings", "missing"),
    [
        ('[source.tuner]\ncommand = ["no-such-tuner", "-x"]', "no-such-tuner"),
        ('[recording]\nengine = "multicat"', "multicat"),
    ],
)
def test_programs_that_the_settings_name_are_needed_too(
    settle: Settle, monkeypatch: pytest.MonkeyPatch, settings: str, missing: str
) -> None:
    find = shutil.which
    monkeypatch.setattr(shutil, "which", lambda name: None if name == missing else find(name))
    loaded: Any = settle(f"{settings}\n[maintenance.programs]\nmisses = 1")
    programs.Programs().check(loaded)

    assert opened() == [f"program.missing:{missing}"]
