"""What has changed since the last look: topics and ids for the doorbell, never content."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nephos.config.load import Loaded
from nephos.events import log
from nephos.lib import files
from nephos.maintenance import vitals
from nephos.sync import queries as transfers


@dataclass(frozen=True, slots=True)
class Ring:
    """Something of this topic changed; `id` says which one, if it is one."""

    topic: str
    id: str = ""


EVERYTHING = Ring("*")


def of_event(entry: log.Entry) -> Ring:
    """`asset:12` rings as topic asset, id 12."""
    topic, _, identifier = entry.subject.partition(":")
    return Ring(topic, identifier)


def of_beat(role: str, before: dict[str, Any], after: dict[str, Any]) -> list[Ring]:
    """A role that starts again rings as `role`; news of what it does ring under its own name."""
    found = []
    if before.get("pid") != after.get("pid"):
        found.append(Ring("role", role))
    details = after.get("details") or {}
    # While something is received each beat counts: the bars of progress move although the rates stand still.
    if role != "web" and (before.get("details") != details or details.get("receivers")):
        found.append(Ring(role))
    return found


@dataclass(slots=True)
class Look:
    """Remembers the last look at the log, the sync journal and the heartbeats. The first look finds nothing new."""

    loaded: Loaded
    _position: int | None = None
    _change: int | None = None
    _marks: dict[str, int] = field(default_factory=dict)
    _beats: dict[str, dict[str, Any]] = field(default_factory=dict)
    _states: dict[str, str] = field(default_factory=dict)
    _looks: int = 0

    def news(self) -> list[Ring]:
        """Rings since the last look, each once."""
        beats = (ring for role in vitals.ROLES for ring in self._beat(role))
        found = [*self._events(), *self._transfers(), *beats, *self._roles()]
        return list(dict.fromkeys(found))

    def _events(self) -> list[Ring]:
        if self._position is None:
            self._position = log.latest()
            return []
        entries = log.read(self._position, limit=500)
        if entries:
            self._position = entries[-1].id
        return [of_event(entry) for entry in entries]

    def _transfers(self) -> list[Ring]:
        home = self.loaded.home
        if self._change is None:
            newest = transfers.transfers(home, limit=1)
            self._change = newest[0].change if newest else 0
            return []
        changes = transfers.changes(home, after=self._change, limit=500)
        self._change = changes.cursor
        return [Ring("transfer", one.set) for one in changes.transfers]

    def _roles(self) -> list[Ring]:
        """A role that hangs or was killed writes nothing: its state is asked for, at every fourth look."""
        self._looks += 1
        if self._looks % 4 != 1:
            return []
        states = {role: str(vitals.role(self.loaded, role)["state"]) for role in vitals.ROLES}
        before, self._states = self._states, states
        return [Ring("role", role) for role in states if before and states[role] != before[role]]

    def _beat(self, role: str) -> list[Ring]:
        path = self.loaded.home.run / f"{role}.json"
        mark = _mark(path)
        if self._marks.get(role) == mark:
            return []
        first = role not in self._marks
        self._marks[role] = mark
        beat = files.read_json(path)
        before, after = self._beats.get(role, {}), beat if isinstance(beat, dict) else {}
        self._beats[role] = after
        return [] if first else of_beat(role, before, after)


def _mark(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
