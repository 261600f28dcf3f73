"""The rows: one for each path on each destination. Functions of a connection, run inside the journal's transactions."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import timedelta

from nephos.lib import backoff, clock
from nephos.sync import errors, fingerprints, names, outbox, planner
from nephos.sync.fingerprints import Fingerprint
from nephos.sync.states import BUSY, PATH, Action, PathState

_RETRIES = backoff.Backoff(first=timedelta(seconds=1), most=timedelta(minutes=5))
_FARTHEST = timedelta(hours=1)  # a next try beyond this is the work of a clock that was set back


@dataclass(frozen=True, slots=True)
class PathRow:
    """A row as the engine works with it."""

    id: int
    watch: str
    destination: str
    path: bytes
    source: bytes
    set_id: str
    state: PathState
    generation: int
    observed: Fingerprint | None
    delivered: Fingerprint | None
    attempts: int


@dataclass(frozen=True, slots=True)
class Sight:
    """A file that was seen."""

    watch: str
    destination: str
    path: bytes
    source: bytes
    fingerprint: Fingerprint
    set_id: str = ""


def get(db: sqlite3.Connection, row_id: int) -> PathRow | None:
    """The row of an id."""
    found = db.execute("SELECT * FROM paths WHERE id = ?", (row_id,)).fetchone()
    return _row(found) if found else None


def find(db: sqlite3.Connection, *, watch: str, destination: str, path: bytes) -> PathRow | None:
    """The row of a path."""
    found = db.execute(
        "SELECT * FROM paths WHERE watch = ? AND destination = ? AND path = ?", (watch, destination, path)
    ).fetchone()
    return _row(found) if found else None


def of_mapping(db: sqlite3.Connection, *, watch: str, destination: str) -> list[PathRow]:
    """All rows of a watch on one destination."""
    found = db.execute("SELECT * FROM paths WHERE watch = ? AND destination = ?", (watch, destination)).fetchall()
    return [_row(row) for row in found]


def observe(db: sqlite3.Connection, sight: Sight) -> PathRow:
    """Note what is seen of a path. A new version bumps the generation and lets the path settle anew."""
    row = find(db, watch=sight.watch, destination=sight.destination, path=sight.path)
    if row is None:
        return _insert(db, sight)
    if row.observed == sight.fingerprint and row.set_id == sight.set_id:
        return row
    state = row.state if row.state in BUSY else PathState.SETTLING
    _set(
        db,
        row,
        state=state,
        observed=str(sight.fingerprint),
        source=sight.source,
        set_id=sight.set_id,
        generation=row.generation + (row.observed != sight.fingerprint),
        bytes=sight.fingerprint.size_bytes if state not in BUSY else None,
        cause="",
        attempts=0,
    )
    return get(db, row.id) or row


def settle(db: sqlite3.Connection, row: PathRow) -> bool:
    """The path is quiet: let the planner decide. False while an operation still runs on an older version."""
    if row.state is not PathState.SETTLING:
        return row.state not in BUSY
    action = planner.plan(observed=row.observed, delivered=row.delivered)
    if action is Action.SEND:
        # Progress and cause belong to the version before.
        _set(db, row, state=PathState.READY, action=action, cause="", next_try_at=0.0, **_NOT_BEGUN)
    elif row.observed is not None:
        _set(db, row, state=PathState.DELIVERED, action=Action.NOTHING, cause="", delivered_generation=row.generation)
    return True


def vanish(db: sqlite3.Connection, row: PathRow) -> None:
    """The file is no longer here. What was delivered stays delivered (mode keep); the rest has nothing to send."""
    if row.state in BUSY:
        return
    if row.delivered is None:
        db.execute("DELETE FROM paths WHERE id = ?", (row.id,))
    elif row.observed is not None:
        _set(db, row, state=PathState.DELIVERED, observed=None, cause="", action=Action.NOTHING)


@dataclass(frozen=True, slots=True)
class Lane:
    """Which rows a sender takes: a destination, the watches that feed it, and sizes in a half-open range."""

    destination: str
    watches: frozenset[str]
    least_bytes: int
    most_bytes: int


def due(db: sqlite3.Connection, lane: Lane, *, limit: int) -> list[PathRow]:
    """Rows that may be sent now, oldest first; what is paused is left out."""
    now = clock.unix()
    found = db.execute(
        f"""
        SELECT p.* FROM paths p
        WHERE p.destination = ? AND p.bytes >= ? AND p.bytes < ? AND p.watch IN ({", ".join("?" * len(lane.watches))})
          AND (p.state = 'ready' OR p.state = 'waiting' AND (p.next_try_at <= ? OR p.next_try_at > ?))
          AND NOT EXISTS (SELECT 1 FROM pauses s WHERE s.watch IN ('', p.watch)
                          AND s.destination IN ('', p.destination) AND s.path IN (x'', p.path))
        ORDER BY p.next_try_at, p.id LIMIT ?
        """,  # noqa: S608 - only question marks are put in
        (
            lane.destination,
            lane.least_bytes,
            lane.most_bytes,
            *lane.watches,
            now,
            now + _FARTHEST.total_seconds(),
            limit,
        ),
    ).fetchall()
    return [_row(row) for row in found]


def begin(db: sqlite3.Connection, row: PathRow, fingerprint: Fingerprint) -> int:
    """An attempt starts, on this version of the file; its generation."""
    generation = row.generation + (row.observed != fingerprint)
    _set(
        db,
        row,
        state=PathState.SENDING,
        attempts=row.attempts + 1,
        observed=str(fingerprint),
        generation=generation,
        bytes=fingerprint.size_bytes,
        cause="",
    )
    return generation


def verifying(db: sqlite3.Connection, row_id: int) -> None:
    """All is sent; now it is proven."""
    row = get(db, row_id)
    if row is not None and row.state is PathState.SENDING:
        _set(db, row, state=PathState.VERIFYING)


def progress(db: sqlite3.Connection, row_id: int, *, bytes_done: int, parts: int, parts_done: int) -> None:
    """How far a transfer has come, as the other side acknowledged it."""
    row = get(db, row_id)
    if row is not None:
        _set(db, row, bytes_done=bytes_done, parts=parts, parts_done=parts_done)


def fail(db: sqlite3.Connection, row_id: int, error: errors.SyncError, *, delay: timedelta | None = None) -> None:
    """An attempt ended without delivery: wait, hold, settle anew or just go on later."""
    row = get(db, row_id)
    if row is None or row.state not in {*BUSY, PathState.READY, PathState.WAITING}:
        return
    match error:
        case errors.Interrupted():
            _set(db, row, state=PathState.READY, attempts=max(0, row.attempts - 1))
        case errors.SourceChanged() if not row.set_id:
            _set(db, row, state=PathState.SETTLING, cause=error.message)
        case errors.SourceGone() if not row.set_id:
            _set(db, row, state=PathState.SETTLING, cause=error.message)
        case _ if error.permanent:
            hold(db, row, error)
        case _:
            pause = delay or max(error.retry_after, _RETRIES.delay(row.attempts - 1))
            moment = clock.unix() + pause.total_seconds()
            _set(db, row, state=PathState.WAITING, cause=error.message, next_try_at=moment)


def hold(db: sqlite3.Connection, row: PathRow, error: errors.SyncError) -> None:
    """Stop trying and say why, once."""
    cause = f"{error.message} {error.hint}".strip()
    _set(db, row, state=PathState.HELD, cause=cause)
    outbox.put(
        db,
        outbox.TRANSFER_HELD,
        {
            "transfer": row.id,
            "watch": row.watch,
            "destination": row.destination,
            "path": names.shown(row.path),
            "set": row.set_id,
            "reason": cause,
        },
    )


def release(db: sqlite3.Connection, row: PathRow) -> None:
    """Try it now: what was held or waits becomes ready."""
    if row.state in {PathState.HELD, PathState.WAITING}:
        _set(db, row, state=PathState.READY, action=Action.SEND, next_try_at=0.0, attempts=0, cause="")


def finish(db: sqlite3.Connection, row: PathRow, *, generation: int, fingerprint: Fingerprint) -> None:
    """A version is proven at the destination. If a newer one was seen meanwhile the path settles anew."""
    newest = row.generation == generation
    newer = PathState.READY if row.set_id else PathState.SETTLING  # a set was handed over as finished
    _set(
        db,
        row,
        state=PathState.DELIVERED if newest else newer,
        action=Action.NOTHING if newest else Action.SEND,
        delivered=str(fingerprint),
        delivered_generation=generation,
        bytes_done=fingerprint.size_bytes,
        attempts=0,
        cause="",
    )


def recover(db: sqlite3.Connection) -> int:
    """After a crash: what was being sent is ready again, its journalled parts are kept."""
    rows = db.execute("SELECT * FROM paths WHERE state IN ('sending', 'verifying')").fetchall()
    for row in rows:
        _set(db, _row(row), state=PathState.READY)
    return len(rows)


_NOT_BEGUN = {"bytes_done": 0, "parts": 0, "parts_done": 0, "attempts": 0}


def _insert(db: sqlite3.Connection, sight: Sight) -> PathRow:
    cursor = db.execute(
        "INSERT INTO paths (watch, destination, path, source, set_id, state, observed, bytes, changed_at, change)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, next_change())",
        (
            sight.watch,
            sight.destination,
            sight.path,
            sight.source,
            sight.set_id,
            PATH.first,
            str(sight.fingerprint),
            sight.fingerprint.size_bytes,
            clock.stamp(clock.now()),
        ),
    )
    assert cursor.lastrowid is not None  # noqa: S101 - an INSERT that did not raise has one
    return PathRow(
        id=cursor.lastrowid,
        watch=sight.watch,
        destination=sight.destination,
        path=sight.path,
        source=sight.source,
        set_id=sight.set_id,
        state=PATH.first,
        generation=1,
        observed=sight.fingerprint,
        delivered=None,
        attempts=0,
    )


def _set(
    db: sqlite3.Connection, row: PathRow, state: PathState | None = None, **values: str | int | float | bytes | None
) -> None:
    if state is not None and state != row.state and not PATH.allows(row.state, state):
        raise errors.JournalBroken(f"A path cannot go from {row.state} to {state}.")
    if values.get("bytes", 0) is None:
        del values["bytes"]
    values |= {"state": state} if state is not None else {}
    values |= {"changed_at": clock.stamp(clock.now())}
    columns = ", ".join(f"{name} = ?" for name in values)
    # Only names of our own are put into the statement.
    db.execute(f"UPDATE paths SET {columns}, change = next_change() WHERE id = ?", (*values.values(), row.id))  # noqa: S608


def _row(row: sqlite3.Row) -> PathRow:
    return PathRow(
        id=row["id"],
        watch=row["watch"],
        destination=row["destination"],
        path=row["path"],
        source=row["source"],
        set_id=row["set_id"],
        state=PathState(row["state"]),
        generation=row["generation"],
        observed=fingerprints.parse(row["observed"]),
        delivered=fingerprints.parse(row["delivered"]),
        attempts=row["attempts"],
    )
