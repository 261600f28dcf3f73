"""Is a role late, gone, failing, or ending again and again?"""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from nephos.config import upkeep
from nephos.config.load import Loaded
from nephos.lib import clock, locks, text
from nephos.maintenance import vitals
from nephos.monitoring import services

KIND = "role"
_FAILING_LOOKS = 3  # in a row: one failed step is tried again at once and mostly works


@dataclass(slots=True)
class Roles:
    """Remembers when each role was well and when it started. Roles that were never seen alive are not missed."""

    _well: dict[str, float] = field(default_factory=dict)
    _pids: dict[str, int] = field(default_factory=dict)
    _starts: dict[str, deque[float]] = field(default_factory=lambda: defaultdict(deque))
    _failing: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def check(self, loaded: Loaded) -> None:
        """Look at every role."""
        chosen = loaded.settings.maintenance.roles
        found = [problem for name in vitals.ROLES for problem in self._look(name, vitals.role(loaded, name), chosen)]
        if not locks.FileLock(loaded.home.run / "nephos.lock").is_held():
            # Nobody supervises here: roles are started one by one, and those that are not there are not wanted.
            found = [one for one in found if not one.key.startswith("role.gone:")]
        for one in found:
            services.report(one)
        services.clear_others(KIND, keep=[one.key for one in found])

    def rest(self) -> None:
        """The check is off."""
        self.__init__()  # type: ignore[misc] # forget everything
        services.clear_others(KIND)

    def _look(self, name: str, told: dict[str, Any], chosen: upkeep.RolesCheck) -> list[services.Finding]:
        now = clock.monotonic()
        if told["state"] == "running":
            self._well[name] = now
        self._note_start(name, told["pid"], now)
        found = [
            self._silent(name, told["state"], now, chosen),
            self._loops(name, told),
            self._crashes(name, now, chosen),
        ]
        return [one for one in found if one is not None]

    def _note_start(self, name: str, pid: object, now: float) -> None:
        if isinstance(pid, int) and pid != self._pids.get(name, pid):
            self._starts[name].append(now)
        if isinstance(pid, int):
            self._pids[name] = pid

    def _silent(self, name: str, state: str, now: float, chosen: upkeep.RolesCheck) -> services.Finding | None:
        since = self._well.get(name)
        if since is None or now - since < chosen.late_seconds:
            return None
        is_gone = state == "stopped"
        return services.Finding(
            key=f"role.{'gone' if is_gone else 'late'}:{name}",
            kind=KIND,
            subject=f"role:{name}",
            sentence=f"The role {name} is {'not running' if is_gone else 'late'}.",
            reason=f"Its last sign of life is more than {text.duration(timedelta(seconds=chosen.late_seconds))} old.",
            retry="The supervisor starts a role that ended again with growing pauses; one that hangs it leaves alone.",
            hint=f"`nephos logs {name}` tells what it was at; `nephos stop` and `nephos start` begin anew.",
        )

    def _loops(self, name: str, told: dict[str, Any]) -> services.Finding | None:
        loops = told["details"].get("loops", {})
        failing = {loop: word for loop, word in loops.items() if str(word).startswith("failing")}
        self._failing[name] = self._failing[name] + 1 if failing else 0
        if self._failing[name] < _FAILING_LOOKS:
            return None
        return services.Finding(
            key=f"role.failing:{name}",
            kind=KIND,
            subject=f"role:{name}",
            sentence=f"Work of the role {name} fails again and again.",
            reason="; ".join(f"{loop}: {word}" for loop, word in sorted(failing.items())),
            retry="It is tried again by itself, at least once a minute.",
            hint=f"`nephos logs {name}` tells why.",
        )

    def _crashes(self, name: str, now: float, chosen: upkeep.RolesCheck) -> services.Finding | None:
        starts = self._starts[name]
        while starts and now - starts[0] > chosen.window_seconds:
            starts.popleft()
        if len(starts) < chosen.restarts:
            return None
        window = text.duration(timedelta(seconds=chosen.window_seconds))
        return services.Finding(
            key=f"role.crashing:{name}",
            kind=KIND,
            subject=f"role:{name}",
            sentence=f"The role {name} ends again and again.",
            reason=f"It was started {len(starts)} times within {window}.",
            retry="The supervisor starts it again, with pauses of up to a minute.",
            hint=f"`nephos logs {name}` tells why it ends.",
        )
