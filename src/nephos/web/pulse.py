"""Is everything alive, and is there space left? From locks, heartbeats and the disk; needs no database."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from nephos.config.load import Loaded
from nephos.lib import clock
from nephos.maintenance import vitals

_LONGEST_SECONDS = 10 * 365 * 86400.0

_WORK = {
    "recorder": "receives the streams",
    "sync": "delivers files",
    "farm": "processes recordings",
    "keeper": "plans, judges and keeps order",
    "web": "serves this page",
}


@dataclass(frozen=True, slots=True)
class RoleView:
    """A process of the station."""

    name: str
    work: str
    state: str
    pid: int | None
    started_at: datetime | None
    beat_at: datetime | None
    details: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Receiver:
    """A channel that the recorder listens to."""

    slug: str
    state: str
    bytes_per_second: float
    errors: int
    since: datetime | None
    bookings: list[int]
    protocol: str


@dataclass(frozen=True, slots=True)
class Disk:
    """The volume of a folder."""

    purpose: str
    folder: str
    total_bytes: int
    free_bytes: int
    state: str
    lasts: timedelta | None  # at the rate of now

    @property
    def used_percent(self) -> int:
        return round(100 * (1 - self.free_bytes / self.total_bytes)) if self.total_bytes else 0


def roles(loaded: Loaded) -> list[RoleView]:
    """All roles in the order of the way of the data."""
    return [_role(loaded, name) for name in vitals.ROLES]


def _role(loaded: Loaded, name: str) -> RoleView:
    told = vitals.role(loaded, name)
    loops = told["details"].get("loops", {})
    is_failing = isinstance(loops, dict) and any(str(word).startswith("failing") for word in loops.values())
    return RoleView(
        name=name,
        work=_WORK[name],
        state="failed" if is_failing and told["state"] == "running" else told["state"],
        pid=told["pid"],
        started_at=_moment(told["started_at"]),
        beat_at=_moment(told["beat_at"]),
        details=told["details"],
    )


def receivers(loaded: Loaded) -> list[Receiver]:
    """What the recorder listens to at this moment, told by itself; nothing if its last word is old."""
    recorder = _role(loaded, "recorder")
    if recorder.state != "running":
        return []
    found = recorder.details.get("receivers", [])
    return [_receiver(one) for one in found if isinstance(one, dict)]


def _receiver(one: dict[str, Any]) -> Receiver:
    return Receiver(
        slug=str(one.get("slug", "")),
        state=str(one.get("state", "")),
        bytes_per_second=float(one.get("bytes_per_second") or 0),
        errors=int(one.get("cc") or 0),
        since=_moment(one.get("since")),
        bookings=[int(booking) for booking in one.get("bookings", [])],
        protocol=str(one.get("protocol") or ""),
    )


def disk(loaded: Loaded, *, bytes_per_second: float = 0.0) -> Disk:
    """Space for recordings, and how long it lasts if everything goes on as now."""
    return _volume(loaded, "recordings", loaded.home.recordings, bytes_per_second)


def volumes(loaded: Loaded, *, bytes_per_second: float = 0.0) -> list[Disk]:
    """Each volume that the home lies on, once; recordings first."""
    home = loaded.home
    found: dict[int, Disk] = {}
    for purpose, folder in (
        ("recordings", home.recordings),
        ("processed", home.processed),
        ("databases", home.databases),
        ("logs", home.logs),
    ):
        device = folder.stat().st_dev
        if device not in found:
            found[device] = _volume(loaded, purpose, folder, bytes_per_second if purpose == "recordings" else 0.0)
    return list(found.values())


def _volume(loaded: Loaded, purpose: str, folder: Path, bytes_per_second: float) -> Disk:
    floors = loaded.settings.recording
    usage = shutil.disk_usage(folder)
    free = usage.free
    state = "bad" if free < floors.hard_floor_bytes else "warn" if free < floors.soft_floor_bytes else "good"
    usable = max(0, free - floors.hard_floor_bytes)
    left = timedelta(seconds=min(usable / bytes_per_second, _LONGEST_SECONDS)) if bytes_per_second > 0 else None
    return Disk(purpose, str(folder), usage.total, free, state, left)


def _moment(stamp: object) -> datetime | None:
    try:
        return clock.parse(stamp) if isinstance(stamp, str) else None
    except ValueError:
        return None
