"""Rows that have to go at the destination: confirmed first, then a while of grace, then removed; all of it undone."""

from __future__ import annotations

import os
import sqlite3
from dataclasses import dataclass
from datetime import timedelta

from nephos.lib import clock
from nephos.sync import errors, moments, paths
from nephos.sync.states import Action, PathState

_PERCENT_FROM = 10  # of a handful of files every deletion is a large share


class TooManyGone(errors.SyncError):
    """More files are gone at once than may be removed without being asked."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a watch lets go without asking, and how long it waits before it does."""

    most: int
    most_percent: float
    grace: timedelta


@dataclass(frozen=True, slots=True)
class Removed:
    """A file that was set aside at its destination."""

    id: int
    watch: str
    path: bytes
    kept_as: str
    bytes: int
    wanted: bool


def unconfirmed(db: sqlite3.Connection, watch: str) -> bool:
    """Whether something is gone that no whole look has confirmed."""
    row = db.execute(
        "SELECT 1 FROM paths WHERE watch = ? AND action = 'delete' AND state = 'settling' LIMIT 1", (watch,)
    ).fetchone()
    return row is not None


def confirm(db: sqlite3.Connection, *, watch: str, destination: str, limits: Limits) -> int:
    """A whole look found it all gone indeed: it goes after the grace, or is held if it is too much."""
    scope = (watch, destination)
    found = db.execute(
        "SELECT id FROM paths WHERE watch = ? AND destination = ? AND action = 'delete' AND state = 'settling'", scope
    ).fetchall()
    rows = [row for entry in found if (row := paths.get(db, entry["id"])) is not None]
    if not rows:
        return 0
    known, going = db.execute(
        "SELECT count(*), total(action = 'delete' AND other = x'') FROM paths"
        " WHERE watch = ? AND destination = ? AND delivered IS NOT NULL",
        scope,
    ).fetchone()
    if are_many(int(going), known, limits):
        _hold_all(db, rows, int(going), known)
        return 0
    moment = clock.unix() + limits.grace.total_seconds()
    cause = "It is gone here and is removed there when the time of grace is over."
    for row in rows:
        if limits.grace:
            paths.set_(db, row, state=PathState.WAITING, cause=cause, next_try_at=moment)
        else:
            paths.set_(db, row, state=PathState.READY, cause="")
    return len(rows)


def are_many(going: int, known: int, limits: Limits) -> bool:
    """Whether so many of those that are known may not go without asking."""
    return going > limits.most or (going >= _PERCENT_FROM and going > known * limits.most_percent / 100)


def _hold_all(db: sqlite3.Connection, rows: list[paths.PathRow], going: int, known: int) -> None:
    reason = TooManyGone(
        f"{going} of {known} files are gone here, which is more than may be removed there without asking.",
        hint="`nephos watch approve WATCH` lets them go, `nephos watch undo WATCH` keeps them there.",
    )
    paths.hold(db, rows[0], reason)  # one message tells of all of them
    for row in rows[1:]:
        paths.set_(db, row, state=PathState.HELD, cause=f"{reason.message} {reason.hint}")


def approve(db: sqlite3.Connection, *, watch: str, path: bytes) -> None:
    """A person lets held deletions go, at once."""
    for row in _pending(db, watch, path):
        paths.release(db, row)


def undo(db: sqlite3.Connection, *, watch: str, path: bytes) -> None:
    """Deletions that were not carried out are forgotten, the others are to be brought back there."""
    undo_pending(db, watch, path)
    db.execute("UPDATE removed SET wanted = 1 WHERE watch = ? AND ? IN (x'', path)", (watch, path))


def undo_pending(db: sqlite3.Connection, watch: str, path: bytes = b"") -> None:
    """What is still there stays there."""
    for row in _pending(db, watch, path):
        paths.set_(db, row, state=PathState.DELIVERED, action=Action.NOTHING, cause="", other=b"")


def free(db: sqlite3.Connection, source: bytes) -> None:
    """We removed a file here to make room: at its destinations it stays."""
    for entry in db.execute("SELECT id FROM paths WHERE source = ? AND delivered IS NOT NULL", (source,)).fetchall():
        row = paths.get(db, entry["id"])
        if row is None or row.delivered is None:
            continue
        if row.action is Action.DELETE and row.state not in {PathState.SENDING, PathState.VERIFYING} and not row.other:
            paths.set_(db, row, state=PathState.DELIVERED, action=Action.NOTHING, cause="", freed=1)
        else:
            paths.set_(db, row, freed=1)


def due(db: sqlite3.Connection, *, destination: str, watches: frozenset[str], limit: int = 100) -> list[paths.PathRow]:
    """Moves that may be made now; deletions only when nothing of the same watch is still on its way."""
    now = clock.unix()
    found = db.execute(
        f"""
        SELECT p.id FROM paths p
        WHERE p.destination = ? AND p.action IN ('move', 'delete') AND p.watch IN ({", ".join("?" * len(watches))})
          AND (p.state = 'ready' OR p.state = 'waiting' AND (p.next_try_at <= ?
               OR p.attempts > 0 AND p.next_try_at > ?))
          AND (p.action = 'move' OR p.other != x'' OR NOT EXISTS (
                SELECT 1 FROM paths o WHERE o.destination = p.destination AND o.watch = p.watch
                AND o.action IN ('send', 'move') AND o.state IN ('ready', 'sending', 'verifying')
                AND o.id NOT IN (SELECT path_id FROM growing WHERE held = 1)))
          AND NOT EXISTS (SELECT 1 FROM pauses s WHERE s.watch IN ('', p.watch)
                          AND s.destination IN ('', p.destination) AND s.path IN (x'', p.path))
        ORDER BY p.action = 'delete', length(p.path) - length(replace(p.path, x'2f', x'')) DESC, p.id LIMIT ?
        """,  # noqa: S608 - only question marks are put in
        # A try that is so far away is the work of a clock that was set back; a time of grace may be as long.
        (destination, *watches, now, now + paths.FARTHEST.total_seconds(), limit),
    ).fetchall()
    return [row for entry in found if (row := paths.get(db, entry["id"])) is not None]


def start(db: sqlite3.Connection, row: paths.PathRow) -> paths.PathRow | None:
    """Take a row whose file is to be removed there; None if it is wanted again meanwhile."""
    now = paths.get(db, row.id)
    if now is None or now.observed is not None or now.action is not Action.DELETE:
        return None
    if now.state not in {PathState.READY, PathState.WAITING}:
        return None
    paths.set_(db, now, state=PathState.SENDING, attempts=now.attempts + 1)
    return paths.get(db, row.id)


def let_old_name_go(db: sqlite3.Connection, row: paths.PathRow) -> paths.PathRow | None:
    """The new name of a moved file is proven: the old one is to go. None if a file is there again."""
    old = paths.find(db, watch=row.watch, destination=row.destination, path=row.other)
    if old is None or old.observed is not None or old.state in {PathState.SENDING, PathState.VERIFYING}:
        return None
    paths.set_(db, old, state=PathState.READY, action=Action.DELETE, other=row.path, cause="", next_try_at=0.0)
    return paths.get(db, old.id)


def claim_old_name(db: sqlite3.Connection, row: paths.PathRow) -> paths.PathRow | None:
    """The same, and it is taken at once."""
    old = let_old_name_go(db, row)
    return start(db, old) if old is not None else None


def finish(db: sqlite3.Connection, row: paths.PathRow, *, kept_as: str = "", keep: timedelta = timedelta(0)) -> None:
    """It is gone there. A file that came back meanwhile is sent anew."""
    if kept_as:
        db.execute(
            "INSERT INTO removed (watch, destination, path, kept_as, bytes, at, until) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                row.watch,
                row.destination,
                row.path,
                os.fsencode(kept_as),
                row.delivered.size_bytes if row.delivered else 0,
                moments.stamp(),
                clock.unix() + keep.total_seconds(),
            ),
        )
    now = paths.get(db, row.id)
    if now is None:
        return
    if now.observed is None:
        db.execute("DELETE FROM paths WHERE id = ?", (row.id,))
    else:
        paths.set_(db, now, state=PathState.SETTLING, action=Action.NOTHING, delivered=None, other=b"", attempts=0)


def set_aside(db: sqlite3.Connection, destination: str, *, limit: int = 50) -> list[Removed]:
    """What is to be brought back, or whose time is over."""
    found = db.execute(
        "SELECT * FROM removed WHERE destination = ? AND (wanted = 1 OR until <= ?) ORDER BY id LIMIT ?",
        (destination, clock.unix(), limit),
    ).fetchall()
    return [
        Removed(row["id"], row["watch"], row["path"], os.fsdecode(row["kept_as"]), row["bytes"], bool(row["wanted"]))
        for row in found
    ]


def forget(db: sqlite3.Connection, removed_id: int) -> None:
    """Nothing is set aside there any more."""
    db.execute("DELETE FROM removed WHERE id = ?", (removed_id,))


def _pending(db: sqlite3.Connection, watch: str, path: bytes) -> list[paths.PathRow]:
    found = db.execute(
        "SELECT id FROM paths WHERE watch = ? AND ? IN (x'', path) AND action = 'delete' AND other = x''"
        " AND state NOT IN ('sending', 'verifying')",
        (watch, path),
    ).fetchall()
    return [row for entry in found if (row := paths.get(db, entry["id"])) is not None]
