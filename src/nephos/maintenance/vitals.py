"""What can be told of a station without asking it: from its locks and its roles' heartbeats."""

from __future__ import annotations

from typing import Any

from nephos.config import addresses
from nephos.config.load import Loaded
from nephos.lib import clock, heartbeats, locks

ROLES = ("recorder", "sync", "farm", "keeper", "web")  # as in daemon.roles, which lies above; a test compares them


def describe(loaded: Loaded) -> dict[str, Any]:
    """The whole station."""
    home = loaded.home
    lock = locks.FileLock(home.run / "nephos.lock")
    running = lock.is_held()
    return {
        "station": loaded.settings.station.name,
        "home": str(home.root),
        "running": running,
        "pid": lock.holder() if running else None,
        "address": page(loaded),
        "roles": [role(loaded, name) for name in (*ROLES, *(["console"] if loaded.settings.console.enabled else []))],
    }


def role(loaded: Loaded, name: str) -> dict[str, Any]:
    """State of one role: `running`, `late` (alive but its heartbeat is old) or `stopped`."""
    beat = heartbeats.read(loaded.home.run, name) or {}
    held = locks.FileLock(loaded.home.run / f"{name}.lock").is_held()
    beat_at = beat.get("beat_at")
    state = "stopped"
    if held:
        fresh = beat_at is not None and clock.now() - clock.parse(beat_at) < heartbeats.LATE_AFTER
        state = "running" if fresh else "late"
    return {
        "role": name,
        "state": state,
        "pid": beat.get("pid") if held else None,
        "started_at": beat.get("started_at") if held else None,
        "beat_at": beat_at,
        "details": beat.get("details", {}) if held else {},
    }


def address(loaded: Loaded) -> str:
    """Where the page is for programs of this machine."""
    return _told(loaded) or addresses.local(loaded.settings.web)


def page(loaded: Loaded) -> str:
    """Where the page is for people."""
    return _told(loaded) or addresses.for_people(loaded.settings.web)


def _told(loaded: Loaded) -> str:
    """Of a port that the system chose only the page itself knows."""
    if loaded.settings.web.port:
        return ""
    beat = heartbeats.read(loaded.home.run, "web") or {}
    return str(beat.get("details", {}).get("address", ""))
