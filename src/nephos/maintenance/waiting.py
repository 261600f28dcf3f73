"""Destinations that only wait, files that are tried again and again, folders that are not there: told after a while.

Nothing of it is held back, so nothing has to be done at once; but a wrong key mends itself as little as a torn cable.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from nephos.config.load import Loaded
from nephos.lib import clock, text
from nephos.maintenance import vitals
from nephos.monitoring import services
from nephos.sync import queries
from nephos.sync.states import PathState

DESTINATION = "delivery.waiting"
FOLDER = "delivery.folder"
_DONE = frozenset({PathState.DELIVERED, PathState.HELD})


@dataclass(slots=True)
class Waiting:
    """Remembers since when each of them waits, on the monotonic clock."""

    _since: dict[str, float] = field(default_factory=dict)

    def check(self, loaded: Loaded) -> None:
        """Ask sync by its heartbeat. If it does not live nothing new is known, and another check tells of that."""
        told = vitals.role(loaded, "sync")
        if told["state"] != "running":
            return
        opened = services.open_keys("delivery.")
        _settle(DESTINATION, self._destinations(_reports(told, "destinations"), opened, loaded))
        _settle(FOLDER, self._folders(_reports(told, "watches"), opened, loaded))

    def rest(self) -> None:
        """The check is off."""
        self._since.clear()
        _settle(DESTINATION, [])
        _settle(FOLDER, [])

    def _destinations(
        self, told: dict[str, dict[str, Any]], opened: dict[str, datetime], loaded: Loaded
    ) -> Iterable[services.Finding | str]:
        """What is wrong, or the key alone of what stays as it was told."""
        stuck = _stuck(loaded)
        for name, report in told.items():
            key = f"{DESTINATION}:{name}"
            is_down = report.get("state") == "waiting"
            is_due = self._is_due(key, waits=is_down, loaded=loaded) or name in stuck
            cause = str(report.get("cause") or "") or stuck.get(name, "")
            if is_due or (key in opened and is_down):
                yield _destination(name, cause or "It does not answer.", loaded)
            elif key in opened and not _is_over(name, opened[key], loaded):
                yield key

    def _folders(
        self, told: dict[str, dict[str, Any]], opened: dict[str, datetime], loaded: Loaded
    ) -> Iterable[services.Finding]:
        for name, report in told.items():
            key, cause = f"{FOLDER}:{name}", str(report.get("cause") or "")
            if self._is_due(key, waits=bool(cause), loaded=loaded) or (cause and key in opened):
                yield _folder(name, cause)

    def _is_due(self, key: str, *, waits: bool, loaded: Loaded) -> bool:
        """Whether it has waited without a break for longer than is waited in silence."""
        if not waits:
            self._since.pop(key, None)
            return False
        since = self._since.setdefault(key, clock.monotonic())
        return clock.monotonic() - since >= loaded.settings.maintenance.deliveries.waiting_seconds


def _reports(told: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    return {str(one.get("name")): one for one in told["details"].get(kind, []) if isinstance(one, dict)}


def _settle(kind: str, found: Iterable[services.Finding | str]) -> None:
    keys = []
    for one in found:
        if isinstance(one, services.Finding):
            services.report(one)
        keys.append(one.key if isinstance(one, services.Finding) else one)
    services.clear_others(kind, keep=keys)


def _stuck(loaded: Loaded) -> dict[str, str]:
    """What is said of the file that was tried most, by destination."""
    before = clock.now() - timedelta(seconds=loaded.settings.maintenance.deliveries.waiting_seconds)
    found: dict[str, str] = {}
    for one in queries.stuck(loaded.home, before=before):
        found.setdefault(one.destination, f"{one.path}: {one.cause}")
    return found


def _is_over(destination: str, opened_at: datetime, loaded: Loaded) -> bool:
    """That no trouble is known is no proof, for a try that hangs looks like peace; a delivery is one."""
    at = queries.delivered_at(loaded.home, destination)
    return (at is not None and at > opened_at) or _left(destination, loaded) == 0


def _left(destination: str, loaded: Loaded) -> int:
    """How many files are to be delivered there yet."""
    own = [status for status in queries.watches(loaded.home) if status.destination == destination]
    return sum(number for status in own for state, number in status.paths.items() if state not in _DONE)


def _destination(name: str, cause: str, loaded: Loaded) -> services.Finding:
    connection = loaded.settings.destination[name].connection if name in loaded.settings.destination else name
    return services.Finding(
        key=f"{DESTINATION}:{name}",
        kind=DESTINATION,
        subject=f"destination:{name}",
        sentence=f"Destination {name} does not take what is sent.",
        reason=f"{cause} {text.count(_left(name, loaded), 'file')} to be delivered there.",
        retry="Sending is tried again by itself, with pauses of up to five minutes; nothing is lost meanwhile.",
        hint=f"`nephos connection test {connection}` says whether it can be reached and lets us in; "
        f"`nephos transfer list --state waiting` shows the files.",
    )


def _folder(watch: str, cause: str) -> services.Finding:
    return services.Finding(
        key=f"{FOLDER}:{watch}",
        kind=FOLDER,
        subject=f"watch:{watch}",
        sentence=f"Watch {watch} does not see all of its folder.",
        reason=cause,
        retry="It is looked at again by itself; what is missing is not taken for deleted.",
        hint="Is its disk mounted, may the station read it? `nephos watch show` tells more.",
    )
