"""What a watch would do with what lies in its folder now, and why; it changes nothing and asks no destination."""

from __future__ import annotations

import os
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import msgspec

from nephos.config import schema
from nephos.config.home import Home
from nephos.sync import database, errors, judge, leaving, mappings, names, paths, patterns, removals
from nephos.sync.fingerprints import Fingerprint
from nephos.sync.planner import Mode
from nephos.sync.states import PathState


class Fate(StrEnum):
    """What would become of a file."""

    SEND = "send"
    MOVE = "move"
    DELETE = "delete"
    HELD = "held"  # a person has to do something first
    LEFT = "left"  # here: ignored, no regular file, or not taken by a rule


@dataclass(frozen=True, slots=True)
class Planned:
    """One file on one destination; what is ignored goes to none."""

    action: Fate
    path: str
    destination: str
    bytes: int
    because: str


@dataclass(slots=True)
class Plan:
    """All of it; `files` are the first ones only."""

    watch: str
    counts: Counter[str] = field(default_factory=Counter)
    bytes_to_send: int = 0
    delivered: int = 0
    files: list[Planned] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Known:
    """What the journal says of one mapping."""

    destination: str
    rows: Mapping[bytes, paths.PathRow]
    causes: Mapping[bytes, str]
    paused: bool
    lost: Mapping[Fingerprint, bytes] = field(default_factory=dict)  # delivered versions whose name is gone here


def plan(home: Home, settings: schema.Settings, watch: str, *, limit: int) -> Plan:
    """Raises FolderGone if the folder is not there, ConfigError for settings that cannot work."""
    rule = mappings.watches(_switched_on(settings, watch))[watch]
    result = Plan(watch)
    with database.reading(home.sync_database) as db:
        known = [_known(db, rule, settings, name) for name in rule.destinations]
    for one in _all(home, rule, known):
        if one is None:
            result.delivered += 1
            continue
        result.counts[one.action] += 1
        result.bytes_to_send += one.bytes if one.action is Fate.SEND else 0
        if len(result.files) < limit:
            result.files.append(one)
    return result


def _switched_on(settings: schema.Settings, watch: str) -> schema.Settings:
    """A watch that is switched off is planned as if it were on."""

    on = msgspec.structs.replace(settings.watch[watch], enabled=True)
    return msgspec.structs.replace(settings, watch={**settings.watch, watch: on})


def _known(
    db: sqlite3.Connection | None, rule: mappings.WatchRule, settings: schema.Settings, destination: str
) -> _Known:
    """Nothing, if the mapping is not the one that was delivered."""
    if db is None:
        return _Known(destination, {}, {}, paused=False)
    scope = (rule.name, destination)
    place = mappings.place_of(settings, destination)
    row = db.execute("SELECT identity FROM mappings WHERE watch = ? AND destination = ?", scope).fetchone()
    same = row is not None and row["identity"] == mappings.identity_at(rule, place)
    rows = paths.of_mapping(db, watch=rule.name, destination=destination) if same else []
    causes = db.execute("SELECT path, cause FROM paths WHERE watch = ? AND destination = ? AND cause != ''", scope)
    paused = db.execute(
        "SELECT 1 FROM pauses WHERE watch IN ('', ?) AND destination IN ('', ?) AND path = x''", scope
    ).fetchone()
    by_path = {row.path: row for row in rows}
    above = os.fsencode(rule.folder or b"")
    lost = {row.delivered: row.path for row in rows if row.delivered and not os.path.lexists(above + b"/" + row.path)}
    told = {one["path"]: one["cause"] for one in causes.fetchall()}
    return _Known(destination, by_path, told, paused is not None, lost)


def _all(home: Home, rule: mappings.WatchRule, known: list[_Known]) -> Iterator[Planned | None]:
    if rule.folder is None:
        for mapping in known:
            yield from (_of_set(row, mapping) for row in mapping.rows.values())
        return
    root = os.fsencode(rule.folder)
    if not os.path.isdir(root):  # noqa: PTH112 - bytes
        raise errors.FolderGone(f"The folder {names.shown(root)} is not there.")
    asked = judge.Judge(rule, home.plugins) if rule.rules else None
    here: dict[bytes, Fingerprint] = {}
    ignore = patterns.Patterns(rule.ignore)
    try:
        for found in leaving.look(root, ignore):
            if found.version is None:
                yield Planned(Fate.LEFT, names.shown(found.path), "", 0, found.because)
                continue
            here[found.path] = found.version
            yield from _of_file(found.path, found.version, known, _verdict(asked, root, found))
    finally:
        if asked is not None:
            asked.close()
    for mapping in known:
        yield from _gone(rule, mapping, here)


def _verdict(asked: judge.Judge | None, root: bytes, found: leaving.Found) -> judge.Verdict:
    if asked is None or found.version is None:
        return True
    return asked.ask_now(os.path.join(root, found.path))


def _of_file(
    path: bytes, version: Fingerprint, known: list[_Known], verdict: judge.Verdict
) -> Iterator[Planned | None]:
    shown = names.shown(path)
    if verdict is False:
        yield Planned(Fate.LEFT, shown, "", version.size_bytes, "A rule does not take it.")
        return
    refusal = names.refusal(os.fsdecode(path))
    for mapping in known:
        row = mapping.rows.get(path)
        if isinstance(verdict, errors.SyncError):
            yield Planned(Fate.HELD, shown, mapping.destination, version.size_bytes, verdict.message)
        elif refusal:
            yield Planned(Fate.HELD, shown, mapping.destination, version.size_bytes, refusal)
        elif row is not None and row.delivered == version:
            yield None
        elif row is not None and row.state is PathState.HELD and row.observed == version:
            yield Planned(Fate.HELD, shown, mapping.destination, version.size_bytes, mapping.causes.get(path, ""))
        else:
            yield _to_send(path, version, mapping, row)


def _to_send(path: bytes, version: Fingerprint, mapping: _Known, row: paths.PathRow | None) -> Planned:
    moved = mapping.lost.get(version) if row is None else None
    action = Fate.MOVE if moved is not None else Fate.SEND
    because = f"It was {names.shown(moved)} before." if moved is not None else "It is new here."
    if row is not None and row.delivered is not None:
        because = "It changed since it was delivered."
    because = mapping.causes.get(path) or because
    if mapping.paused:
        because = f"Paused. {because}"
    return Planned(action, names.shown(path), mapping.destination, version.size_bytes, because)


def _gone(rule: mappings.WatchRule, mapping: _Known, here: Mapping[bytes, Fingerprint]) -> Iterator[Planned]:
    """What was delivered and is no longer here, under any name."""
    if rule.mode is not Mode.MIRROR:
        return
    delivered = [row for row in mapping.rows.values() if row.delivered is not None and not row.set_id]
    moved = {version for path, version in here.items() if path not in mapping.rows}
    gone = [row for row in delivered if row.path not in here and not row.freed and row.delivered not in moved]
    many = removals.are_many(len(gone), len(delivered), rule.limits)
    because = f"Gone here, with {len(gone)} of {len(delivered)}: too many." if many else "It is gone here."
    for row in gone:
        size = row.delivered.size_bytes if row.delivered is not None else 0
        yield Planned(Fate.HELD if many else Fate.DELETE, names.shown(row.path), mapping.destination, size, because)


def _of_set(row: paths.PathRow, mapping: _Known) -> Planned | None:
    if row.state is PathState.DELIVERED:
        return None
    action = Fate.HELD if row.state is PathState.HELD else Fate.SEND
    size = row.observed.size_bytes if row.observed is not None else 0
    because = mapping.causes.get(row.path, "") or f"It is {row.state}."
    return Planned(action, names.shown(row.path), mapping.destination, size, because)
