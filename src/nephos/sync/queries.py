"""What sync is doing, for pages, API and commands: read-only, frozen, and never in the engine's way."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from nephos.config.home import Home
from nephos.lib import clock
from nephos.sync import database, names
from nephos.sync.states import Action, PathState, Proof


@dataclass(frozen=True, slots=True)
class Transfer:
    """One path on one destination, as it is now."""

    id: int
    watch: str
    destination: str
    path: str
    source: str
    set: str
    state: PathState
    action: Action
    bytes: int
    bytes_done: int
    parts: int
    parts_done: int
    attempts: int
    cause: str
    next_try_at: datetime | None
    changed_at: datetime
    change: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """The proof of one delivered version."""

    id: int
    watch: str
    destination: str
    path: str
    set: str
    key: str
    bytes: int
    sha256: str
    etag: str
    version: str
    proof: Proof
    at: datetime


@dataclass(frozen=True, slots=True)
class Attempt:
    """A try that did not end well."""

    at: datetime
    action: Action
    what: str


@dataclass(frozen=True, slots=True)
class Recall:
    """A delivered file that is read back, to restore or to verify it."""

    id: int
    kind: str
    watch: str
    destination: str
    path: str
    target: str
    bytes: int
    bytes_done: int
    state: str
    cause: str
    at: datetime


@dataclass(frozen=True, slots=True)
class WatchStatus:
    """How far a watch has come on one destination."""

    watch: str
    destination: str
    paths: Mapping[PathState, int]
    bytes: int
    bytes_done: int
    paused: bool


@dataclass(frozen=True, slots=True)
class Stuck:
    """A file that is tried again and again, and since when."""

    watch: str
    destination: str
    path: str
    cause: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed since a cursor, the latest state of each path; pass `cursor` the next time."""

    cursor: int
    transfers: tuple[Transfer, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """Which rows are wanted; what is empty does not narrow."""

    watch: str = ""
    destination: str = ""
    state: str = ""
    set_id: str = ""
    path: str = ""


def transfers(home: Home, choice: Choice | None = None, *, limit: int = 200) -> list[Transfer]:
    """Paths, newest change first."""
    where, values = _where(choice or Choice())
    sql = f"SELECT * FROM paths {where} ORDER BY change DESC LIMIT ?"  # noqa: S608 - names of our own
    return [_transfer(row) for row in _read(home, sql, (*values, limit))]


def transfer(home: Home, transfer_id: int) -> Transfer | None:
    """One path by its id."""
    found = _read(home, "SELECT * FROM paths WHERE id = ?", (transfer_id,))
    return _transfer(found[0]) if found else None


def attempts(home: Home, transfer_id: int, *, limit: int = 100) -> list[Attempt]:
    """Why a path was not delivered yet, newest first."""
    rows = _read(home, "SELECT * FROM attempts WHERE path_id = ? ORDER BY id DESC LIMIT ?", (transfer_id, limit))
    return [Attempt(clock.parse(row["at"]), Action(row["action"]), row["what"]) for row in rows]


def recalls(home: Home, *, watch: str = "", kind: str = "", limit: int = 200) -> list[Recall]:
    """What is or was read back, newest first."""
    rows = _read(
        home,
        "SELECT * FROM recalls WHERE ? IN ('', watch) AND ? IN ('', kind) ORDER BY id DESC LIMIT ?",
        (watch, kind, limit),
    )
    return [_recall(row) for row in rows]


def receipts(home: Home, choice: Choice | None = None, *, limit: int = 1000) -> list[Receipt]:
    """Receipts, newest first."""
    where, values = _where(choice or Choice())
    sql = f"SELECT * FROM receipts {where} ORDER BY id DESC LIMIT ?"  # noqa: S608 - names of our own
    return [_receipt(row) for row in _read(home, sql, (*values, limit))]


def watches(home: Home) -> list[WatchStatus]:
    """Each watch on each of its destinations, by the rows that it has."""
    rows = _read(
        home,
        "SELECT watch, destination, state, count(*) AS n, sum(bytes) AS bytes, sum(bytes_done) AS done FROM paths"
        " GROUP BY watch, destination, state",
        (),
    )
    mapped = _read(home, "SELECT watch, destination FROM mappings ORDER BY watch, destination", ())
    pauses = _read(home, "SELECT watch, destination FROM pauses WHERE path = x''", ())
    stopped = {(row["watch"], row["destination"]) for row in pauses}
    return [_status(row["watch"], row["destination"], rows, stopped) for row in mapped]


def stuck(home: Home, *, before: datetime, limit: int = 200) -> list[Stuck]:
    """Files that wait, are not paused, and were tried in vain since before a moment; those tried most come first."""
    with database.reading(home.sync_database) as db:
        rows = db.execute(_WAITING, (limit,)).fetchall() if db is not None else []
        # An attempt is written down when it fails: the first of this row of failures says since when.
        first = "SELECT at FROM attempts WHERE path_id = ? ORDER BY id DESC LIMIT 1 OFFSET ?"
        found = [
            (row, db.execute(first, (row["id"], row["attempts"] - 1)).fetchone()) for row in rows if db is not None
        ]
    return [
        Stuck(row["watch"], row["destination"], names.shown(row["path"]), row["cause"], clock.parse(began["at"]))
        for row, began in found
        if began is not None and clock.parse(began["at"]) < before
    ]


_WAITING = """
SELECT p.* FROM paths p WHERE p.state = 'waiting' AND p.attempts > 1
AND NOT EXISTS (SELECT 1 FROM pauses s WHERE s.watch IN ('', p.watch)
                AND s.destination IN ('', p.destination) AND s.path IN (x'', p.path))
ORDER BY p.attempts DESC LIMIT ?
"""


def delivered_at(home: Home, destination: str) -> datetime | None:
    """When something was last proven at a destination."""
    rows = _read(home, "SELECT at FROM receipts WHERE destination = ? ORDER BY id DESC LIMIT 1", (destination,))
    return clock.parse(rows[0]["at"]) if rows else None


def changes(home: Home, *, after: int = 0, limit: int = 1000) -> Changes:
    """Paths that changed after a cursor, in the order of change; latest wins, so none is told twice at once."""
    rows = _read(home, "SELECT * FROM paths WHERE change > ? ORDER BY change LIMIT ?", (after, limit))
    found = tuple(_transfer(row) for row in rows)
    return Changes(cursor=found[-1].change if found else after, transfers=found)


def _read(home: Home, sql: str, values: tuple[str | int | bytes, ...]) -> list[sqlite3.Row]:
    with database.reading(home.sync_database) as db:
        return db.execute(sql, values).fetchall() if db is not None else []


def _where(choice: Choice) -> tuple[str, tuple[str | bytes, ...]]:
    wanted: dict[str, str | bytes] = {
        "watch": choice.watch,
        "destination": choice.destination,
        "state": choice.state,
        "set_id": choice.set_id,
        "path": os.fsencode(choice.path),
    }
    chosen = {name: value for name, value in wanted.items() if value}
    clauses = " AND ".join(f"{name} = ?" for name in chosen)
    return (f"WHERE {clauses}" if clauses else ""), tuple(chosen.values())


def _status(watch: str, destination: str, rows: list[sqlite3.Row], stopped: set[tuple[str, str]]) -> WatchStatus:
    own = [row for row in rows if row["watch"] == watch and row["destination"] == destination]
    delivered = sum(row["bytes"] for row in own if row["state"] == PathState.DELIVERED)
    return WatchStatus(
        watch=watch,
        destination=destination,
        paths={PathState(row["state"]): row["n"] for row in own},
        bytes=sum(row["bytes"] for row in own),
        bytes_done=delivered + sum(row["done"] for row in own if row["state"] != PathState.DELIVERED),
        paused=bool(stopped & {("", ""), (watch, ""), ("", destination), (watch, destination)}),
    )


def _transfer(row: sqlite3.Row) -> Transfer:
    waits = row["state"] == PathState.WAITING
    return Transfer(
        id=row["id"],
        watch=row["watch"],
        destination=row["destination"],
        path=names.shown(row["path"]),
        source=names.shown(row["source"]),
        set=row["set_id"],
        state=PathState(row["state"]),
        action=Action(row["action"]),
        bytes=row["bytes"],
        bytes_done=row["bytes_done"],
        parts=row["parts"],
        parts_done=row["parts_done"],
        attempts=row["attempts"],
        cause=row["cause"],
        next_try_at=datetime.fromtimestamp(row["next_try_at"], UTC) if waits else None,
        changed_at=clock.parse(row["changed_at"]),
        change=row["change"],
    )


def _recall(row: sqlite3.Row) -> Recall:
    return Recall(
        id=row["id"],
        kind=row["kind"],
        watch=row["watch"],
        destination=row["destination"],
        path=names.shown(row["path"]),
        target=names.shown(row["target"]),
        bytes=row["bytes"],
        bytes_done=row["bytes_done"],
        state=row["state"],
        cause=row["cause"],
        at=clock.parse(row["at"]),
    )


def _receipt(row: sqlite3.Row) -> Receipt:
    return Receipt(
        id=row["id"],
        watch=row["watch"],
        destination=row["destination"],
        path=names.shown(row["path"]),
        set=row["set_id"],
        key=row["key"],
        bytes=row["bytes"],
        sha256=row["sha256"],
        etag=row["etag"],
        version=row["version"],
        proof=Proof(row["proof"]),
        at=clock.parse(row["at"]),
    )
