"""A check that a person asks for is looked at by the keeper, at once, and says how it went."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import msgspec
import pytest
from django.db import connections

from nephos.config import load, upkeep
from nephos.config.live import Live
from nephos.events import log
from nephos.lib import errors, locks
from nephos.maintenance import catalogue, checks
from nephos.monitoring import asked
from nephos.monitoring.paced import Paced

pytestmark = pytest.mark.django_db(transaction=True)

Settle = Callable[..., load.Loaded]
QUIET = "[maintenance.disk]\nmin_bytes = {bytes}\nmin_percent = 0\nwarn_hours = 0\ninterval_seconds = 100000"


@contextmanager
def keeper(loaded: load.Loaded, *names: str) -> Iterator[None]:
    """Loops of a keeper, in threads as they are."""
    stop = threading.Event()
    made = [loop for loop in checks.loops(loaded) if loop.name in names]

    def drive(loop: Paced) -> None:
        while not stop.wait(0.02):
            loop.step()
        connections.close_all()

    threads = [threading.Thread(target=drive, args=(loop,)) for loop in made]
    with locks.FileLock(loaded.home.run / "keeper.lock"):
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            for thread in threads:
                thread.join()


def test_a_check_runs_before_its_time_and_says_what_it_found(settle: Settle) -> None:
    loaded = settle(QUIET.format(bytes=0))
    with keeper(loaded, "disk"):
        assert catalogue.run("disk", loaded).problems == []
        loaded = settle(QUIET.format(bytes=10**15))
        made = catalogue.run("disk", loaded)

    assert (made.check, made.error) == ("disk", "")
    assert [view.key for view in made.problems] == ["disk.low:recordings"]
    assert list((loaded.home.run / "asked").iterdir()) == []


def test_a_digest_is_made_when_somebody_wants_one(settle: Settle) -> None:
    loaded = settle()
    with keeper(loaded, "digest"):
        catalogue.run("digest", loaded)
        catalogue.run("digest", loaded)

    assert len(log.read(kind="digest.made")) == 2


def test_without_a_keeper_it_is_said_that_there_is_none(settle: Settle) -> None:
    with pytest.raises(asked.NoKeeper) as refused:
        catalogue.run("disk", settle())

    assert "nephos start" in refused.value.hint


def test_a_check_that_is_switched_off_or_not_known_is_refused(settle: Settle) -> None:
    loaded = settle("[maintenance.disk]\nenabled = false")
    with pytest.raises(catalogue.SwitchedOff) as off:
        catalogue.run("disk", loaded)
    with pytest.raises(errors.NotFound) as unknown:
        catalogue.run("../disk", loaded)

    assert off.value.hint == "nephos config set maintenance.disk.enabled true"
    assert "retention" in unknown.value.hint


def test_a_check_that_fails_says_so_to_who_asked(settle: Settle) -> None:
    loaded = settle()

    def fail(_loaded: load.Loaded) -> None:
        raise ValueError("out of order")

    loop = Paced("disk", Live(loaded), pace=lambda settings: settings.maintenance.disk, check=fail)
    answers: list[asked.Answer] = []
    with locks.FileLock(loaded.home.run / "keeper.lock"):
        asking = threading.Thread(
            target=lambda: answers.append(asked.ask(loaded.home, "disk", patience=timedelta(seconds=60)))
        )
        asking.start()
        while not asked.questions(loaded.home, "disk"):
            asking.join(timeout=0.02)
        with pytest.raises(ValueError, match="out of order"):
            loop.step()
        asking.join(timeout=60)

    assert [one.error for one in answers] == ["ValueError: out of order"]


def test_who_is_not_answered_is_told_to_wait_and_leaves_nothing_behind(settle: Settle) -> None:
    loaded = settle()
    with locks.FileLock(loaded.home.run / "keeper.lock"), pytest.raises(asked.NoAnswer):
        asked.ask(loaded.home, "disk", patience=timedelta(seconds=0.2))

    assert list((loaded.home.run / "asked").iterdir()) == []


def test_each_check_of_the_settings_is_listed_and_is_a_loop_of_the_keeper(settle: Settle) -> None:
    from nephos.importers import update
    from nephos.monitoring import keeper as monitoring

    loaded = settle()
    listed = catalogue.checks(loaded)
    loops = {loop.name for make in (checks, monitoring, update) for loop in make.loops(loaded)}

    assert [one.name for one in listed] == [field.name for field in msgspec.structs.fields(upkeep.Maintenance)]
    assert {one.name for one in listed} <= loops
    assert all(one.about.endswith((".", "?")) for one in listed)
