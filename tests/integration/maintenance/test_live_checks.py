"""Each key of each check, changed in the file of running loops: the effect is seen, without a restart.

The keys come from the schema: one that is added without an effect in this file fails the test.
"""

from __future__ import annotations

import shutil
from collections import namedtuple
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec
import pytest

from nephos.config import load, upkeep
from nephos.core import critical as spool
from nephos.events import log
from nephos.importers import update
from nephos.lib import clock, locks
from nephos.library import queries as library_queries
from nephos.library import services as library
from nephos.library.models import Channel
from nephos.maintenance import onair
from nephos.recording import services as recording
from nephos.recording.sources import probe
from tests.integration.maintenance.test_checks import miss
from tests.integration.maintenance.test_freeing import SETTINGS as DELIVERING
from tests.integration.maintenance.test_freeing import deliver
from tests.support.running import Running, Time, keys, problems

pytestmark = pytest.mark.django_db

SETTINGS = (
    DELIVERING.replace("enabled = true\nkeep_days = 1", "least_hours = 0")
    + """
[maintenance.channels]
misses = 1
[maintenance.disk]
min_bytes = 0
min_percent = 0
warn_hours = 0
"""
)
KEYS = keys(upkeep.Maintenance, "maintenance")
LOOPS = {field.name: field.name for field in msgspec.structs.fields(upkeep.Maintenance)}


class Stage:
    """A keeper at work, and what a test may let happen around it."""

    def __init__(self, settle: Callable[[str], load.Loaded], patch: pytest.MonkeyPatch, locked: ExitStack) -> None:
        self.patch, self._locked = patch, locked
        self.loaded = settle(SETTINGS)
        self.time = Time(patch)
        self.run = Running(self.loaded, self.time)
        self.heard: list[str] = []
        self.tried: list[float] = []
        patch.setattr(onair.probe, "probe", self._probe)
        patch.setattr(onair.probe, "hear", self._probe)

    def _probe(self, place: Any, *, timeout: Any, **_more: Any) -> Any:
        self.heard.append(str(place))
        self.tried.append(timeout.total_seconds())
        return probe.Result(probe.State.DOWN)

    def channel(self, name: str = "One", address: str = "udp://239.1.2.3:5004") -> Channel:
        return library.add_channel(name=name, address=address)

    def disk(self, *, total: int = 1000 * 10**9, free: int = 500 * 10**9) -> None:
        usage = namedtuple("usage", "total used free")
        self.patch.setattr(shutil, "disk_usage", lambda _folder: usage(total, total - free, free))

    def lives(self, role: str) -> None:
        self._locked.enter_context(locks.FileLock(self.loaded.home.run / f"{role}.lock"))

    def cry(self) -> None:
        import logging

        record = logging.makeLogRecord({"levelno": 50, "name": "n", "msg": "Help"})
        spool.Spool(self.loaded.home.run, "web").handle(record)


@pytest.fixture
def stage(settle: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    with ExitStack() as locked:
        yield Stage(settle, monkeypatch, locked)


Effect = Callable[[Stage, Any], None]
EFFECTS: dict[str, Effect] = {}


def effect(*names: str) -> Callable[[Effect], Effect]:
    """Registers a test of keys."""

    def keep(test: Effect) -> Effect:
        EFFECTS.update({f"maintenance.{name}": test for name in names})
        return test

    return keep


@pytest.mark.parametrize("key", KEYS)
def test_each_key_is_taken_up_by_the_running_loops(stage: Stage, beats: Any, key: str) -> None:
    assert key in EFFECTS, f"{key} is new: write down here what changes when it is changed"

    EFFECTS[key](stage, beats)


def test_there_is_no_effect_of_a_key_that_is_gone() -> None:
    assert set(EFFECTS) == set(KEYS)


def _switch(section: str) -> Effect:
    def test(stage: Stage, _beats: Any) -> None:
        stage.run.set(f"maintenance.{section}.enabled", False)
        stage.run.step(section, later=10**6)
        assert not stage.run.asked(section)
        stage.run.set(f"maintenance.{section}.enabled", True)
        stage.run.step(section)
        assert stage.run.asked(section)

    return test


def _interval(section: str) -> Effect:
    def test(stage: Stage, _beats: Any) -> None:
        stage.run.set(f"maintenance.{section}.enabled", True)
        stage.run.set(f"maintenance.{section}.interval_seconds", 1000)
        stage.run.step(section)
        stage.run.step(section, later=500)
        stage.run.asked(section)
        stage.run.step(section, later=100)
        assert not stage.run.asked(section)
        stage.run.set(f"maintenance.{section}.interval_seconds", 300)
        stage.run.step(section)
        assert stage.run.asked(section)

    return test


for _name in set(LOOPS) - {"missed", "channels"}:
    effect(f"{_name}.enabled")(_switch(_name))
for _name in set(LOOPS) - {"channels"}:
    effect(f"{_name}.interval_seconds")(_interval(_name))


# --- disk ------------------------------------------------------------------------------------------------------------


@effect("disk.min_bytes")
def _min_bytes(stage: Stage, _beats: Any) -> None:
    stage.disk()
    stage.run.step("disk")
    assert problems() == []
    stage.run.set("maintenance.disk.min_bytes", 600 * 10**9)
    stage.run.step("disk", later=60)
    assert problems() == ["disk.low:recordings"]


@effect("disk.min_percent")
def _min_percent(stage: Stage, _beats: Any) -> None:
    stage.disk()
    stage.run.step("disk")
    assert problems() == []
    stage.run.set("maintenance.disk.min_percent", 60)
    stage.run.step("disk", later=60)
    assert problems() == ["disk.low:recordings"]


@effect("disk.warn_hours")
def _warn_hours(stage: Stage, _beats: Any) -> None:
    recording.record_now(channel=stage.channel(), duration="10h")
    stage.disk(free=10**9)
    stage.run.step("disk")
    assert problems() == []
    stage.run.set("maintenance.disk.warn_hours", 5)
    stage.run.step("disk", later=60)
    assert problems() == ["disk.low:recordings"]


# --- channels and signal ---------------------------------------------------------------------------------------------


@effect("channels.enabled")
def _channels(stage: Stage, _beats: Any) -> None:
    channel = stage.channel()
    stage.run.step("channels")
    assert problems() == [f"channel.down:{channel.pk}"]
    stage.run.set("maintenance.channels.enabled", False)
    stage.run.step("channels", later=10**5)
    assert (problems(), len(stage.heard)) == ([], 1)
    stage.run.set("maintenance.channels.enabled", True)
    stage.run.step("channels")
    assert len(stage.heard) == 2


@effect("channels.interval_seconds")
def _channels_interval(stage: Stage, _beats: Any) -> None:
    stage.channel()
    stage.run.set("maintenance.channels.interval_seconds", 1000)
    for later in (0, 500):
        stage.run.step("channels", later=later)
    assert len(stage.heard) == 1
    stage.run.set("maintenance.channels.interval_seconds", 300)
    stage.run.step("channels", later=1)
    assert len(stage.heard) == 2


@effect("channels.recheck_seconds", "channels.misses")
def _channels_doubt(stage: Stage, _beats: Any) -> None:
    channel = stage.channel()
    stage.run.set("maintenance.channels.misses", 2)
    stage.run.set("maintenance.channels.recheck_seconds", 400)
    stage.run.step("channels")
    stage.run.step("channels", later=200)
    assert (problems(), len(stage.heard)) == ([], 1)
    stage.run.set("maintenance.channels.recheck_seconds", 100)
    stage.run.step("channels", later=1)
    assert (problems(), len(stage.heard)) == ([f"channel.down:{channel.pk}"], 2)


@effect("channels.timeout_seconds")
def _channels_timeout(stage: Stage, _beats: Any) -> None:
    stage.channel()
    stage.run.step("channels")
    stage.run.set("maintenance.channels.timeout_seconds", 7)
    stage.run.step("channels", later=10**4)
    assert stage.tried == [2, 7]


@effect("channels.fetched", "channels.fetch_seconds")
def _channels_fetched(stage: Stage, _beats: Any) -> None:
    stage.channel(address="http://127.0.0.1:9/live.ts")
    stage.run.set("maintenance.channels.fetched", False)
    stage.run.step("channels")
    assert stage.tried == []
    stage.run.set("maintenance.channels.fetched", True)
    stage.run.set("maintenance.channels.fetch_seconds", 9)
    stage.run.step("channels", later=10**4)
    assert stage.tried == [9]


@effect("channels.threads")
def _channels_threads(stage: Stage, _beats: Any) -> None:
    asked: list[int] = []

    class Pool(ThreadPoolExecutor):
        def __init__(self, max_workers: int, **more: Any) -> None:
            asked.append(max_workers)
            super().__init__(max_workers, **more)

    stage.patch.setattr(onair, "ThreadPoolExecutor", Pool)
    stage.channel()
    stage.run.step("channels")
    stage.run.set("maintenance.channels.threads", 9)
    stage.run.step("channels", later=10**4)
    assert asked == [4, 9]


@effect("signal.silent_seconds")
def _silent(stage: Stage, beats: Any) -> None:
    channel = stage.channel()
    stage.run.set("maintenance.signal.silent_seconds", 1000)
    stage.lives("recorder")
    for later in (0, 500):
        stage.time.on(later)
        beats(stage.loaded, "recorder", receivers=[{"slug": channel.slug, "state": "silent", "bookings": []}])
        stage.run.step("signal")
    assert problems() == []
    stage.run.set("maintenance.signal.silent_seconds", 300)
    stage.run.step("signal", later=2)
    assert problems() == [f"channel.down:{channel.pk}"]


# --- missed, roles, deliveries, programs -----------------------------------------------------------------------------


@effect("missed.enabled")
def _missed(stage: Stage, _beats: Any) -> None:
    def told() -> int:
        return len(log.read(kind="bookings.missed"))

    stage.run.set("maintenance.missed.enabled", False)
    miss(1)
    stage.run.step("missed")
    assert told() == 0
    stage.run.set("maintenance.missed.enabled", True)
    miss(2)
    stage.run.step("missed", later=60)
    assert told() == 1


@effect("roles.late_seconds")
def _late(stage: Stage, beats: Any) -> None:
    stage.run.set("maintenance.roles.late_seconds", 1000)
    stage.lives("sync")
    beats(stage.loaded, "sync")
    stage.run.step("roles")
    stage.run.step("roles", later=500)
    assert problems() == []
    stage.run.set("maintenance.roles.late_seconds", 300)
    stage.run.step("roles", later=10)
    assert problems() == ["role.late:sync"]


def _restarts(stage: Stage, beats: Any) -> None:
    stage.lives("sync")
    for pid in range(1, 4):
        beats(stage.loaded, "sync", pid=pid)
        stage.run.step("roles", later=100)


@effect("roles.restarts")
def _roles_restarts(stage: Stage, beats: Any) -> None:
    _restarts(stage, beats)
    assert problems() == []
    stage.run.set("maintenance.roles.restarts", 2)
    stage.run.step("roles", later=5)
    assert problems() == ["role.crashing:sync"]


@effect("roles.window_seconds")
def _roles_window(stage: Stage, beats: Any) -> None:
    stage.run.set("maintenance.roles.restarts", 2)
    _restarts(stage, beats)
    assert problems() == ["role.crashing:sync"]
    stage.run.set("maintenance.roles.window_seconds", 50)
    stage.run.step("roles", later=6)
    assert problems() == []


@effect("deliveries.waiting_seconds")
def _waiting(stage: Stage, beats: Any) -> None:
    stage.run.set("maintenance.deliveries.waiting_seconds", 1000)
    stage.lives("sync")
    down = {"name": "vault", "state": "waiting", "cause": "No."}
    for later in (0, 500):
        stage.time.on(later)
        beats(stage.loaded, "sync", destinations=[down])
        stage.run.step("deliveries")
    assert problems() == []
    stage.run.set("maintenance.deliveries.waiting_seconds", 300)
    stage.time.on(15)
    beats(stage.loaded, "sync", destinations=[down])
    stage.run.step("deliveries")
    assert problems() == ["delivery.waiting:vault"]


@effect("programs.misses")
def _programs(stage: Stage, _beats: Any) -> None:
    find = shutil.which
    stage.patch.setattr(shutil, "which", lambda name: None if name == "ffmpeg" else find(name))
    stage.run.set("maintenance.programs.interval_seconds", 60)
    stage.run.set("maintenance.programs.misses", 50)
    for _ in range(3):
        stage.run.step("programs", later=60)
    assert problems() == []
    stage.run.set("maintenance.programs.misses", 4)
    stage.run.step("programs", later=60)
    assert problems() == ["program.missing:ffmpeg"]


# --- critical, digest, update ----------------------------------------------------------------------------------------


@effect("critical.quiet_hours")
def _quiet(stage: Stage, _beats: Any) -> None:
    stage.cry()
    stage.run.step("critical")
    stage.run.step("quiet", later=3600)
    assert len(problems()) == 1
    stage.run.set("maintenance.critical.quiet_hours", 0.5)
    stage.run.step("quiet", later=60)
    assert problems() == []


@effect("digest.time")
def _digest(stage: Stage, _beats: Any) -> None:
    """Due yesterday at that time is too long ago for a station that is a minute old; in the next minute it is not."""
    miss(1)
    stage.run.set("station.zone", "UTC")
    soon = clock.now().timestamp() + 120
    stage.run.set("maintenance.digest.time", _hhmm(soon + 7200))
    stage.run.step("digest", later=200)
    assert log.read(kind="digest.made") == []
    stage.run.set("maintenance.digest.time", _hhmm(soon))
    stage.run.step("digest", later=20)
    assert len(log.read(kind="digest.made")) == 1


def _hhmm(unix: float) -> str:
    from datetime import UTC, datetime

    return f"{datetime.fromtimestamp(unix, UTC):%H:%M}"


@effect("update.sources")
def _sources(stage: Stage, _beats: Any) -> None:
    data = Path(stage.loaded.home.root) / "data.yaml"
    data.write_text('channels:\n  0:\n    name: "New"\n    ip: "239.1.1.1:5000"\n    timezone: "Europe/Madrid"\n')
    stage.run.step("update")
    assert not Channel.objects.exists()
    stage.run.set("maintenance.update.sources", [str(data)])
    stage.run.step("update", later=600)
    assert Channel.objects.get().name == "New"


@effect("update.timeout_seconds")
def _update_timeout(stage: Stage, _beats: Any) -> None:
    waited: list[float] = []

    def download(_url: str, *, timeout: float) -> bytes:
        waited.append(timeout)
        return b"channels: {}"

    stage.patch.setattr(update, "_download", download)
    stage.run.set("maintenance.update.sources", ["http://127.0.0.1:1/data"])
    stage.run.step("update")
    stage.run.set("maintenance.update.timeout_seconds", 7)
    stage.run.step("update", later=600)
    assert waited == [20, 7]


# --- retention -------------------------------------------------------------------------------------------------------


def _freed(stage: Stage, key: str, value: Any, *, before: Any = None) -> None:
    """Two assets, delivered 9 and 5 days ago; the change frees the older one and nothing else."""
    old, young = deliver(stage.loaded, "old", days=9), deliver(stage.loaded, "young", days=5)
    stage.run.set("maintenance.retention.enabled", True)
    if before is not None:
        for name, first in before.items():
            stage.run.set(name, first)
    stage.run.step("retention")
    states = lambda: [library_queries.asset(one.pk).state for one in (old, young)]  # noqa: E731
    assert states() == ["delivered", "delivered"]
    stage.run.set(key, value)
    stage.run.step("retention", later=3600)
    assert states() == ["freed", "delivered"]


@effect("retention.keep_days")
def _keep_days(stage: Stage, _beats: Any) -> None:
    _freed(stage, "maintenance.retention.keep_days", 7)


@effect("retention.keep_count")
def _keep_count(stage: Stage, _beats: Any) -> None:
    _freed(stage, "maintenance.retention.keep_count", 1)


@effect("retention.least_hours")
def _least_hours(stage: Stage, _beats: Any) -> None:
    keep = {"maintenance.retention.least_hours": 10_000, "maintenance.retention.keep_days": 7}
    _freed(stage, "maintenance.retention.least_hours", 1, before=keep)


@effect("retention.free_bytes")
def _free_bytes(stage: Stage, _beats: Any) -> None:
    from nephos.maintenance import machine

    stage.patch.setattr(machine, "free_bytes", lambda _folder: 10**9)
    _freed(stage, "maintenance.retention.free_bytes", 10**9 + 100)


@effect("retention.watch.*.keep_days")
def _watch_days(stage: Stage, _beats: Any) -> None:
    _freed(stage, "maintenance.retention.watch.tv.keep_days", 7)


@effect("retention.watch.*.keep_count")
def _watch_count(stage: Stage, _beats: Any) -> None:
    _freed(stage, "maintenance.retention.watch.tv.keep_count", 1)
