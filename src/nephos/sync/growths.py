"""Rows of files that are still being written and whose beginning goes up meanwhile. Functions of a connection."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from nephos.sync import paths
from nephos.sync.states import Action, PathState

LEAST_BYTES = 1 << 20
"""A smaller file is sent whole when it is quiet."""

BEHIND = "It is still being written; what is there is sent behind the writer."


@dataclass(frozen=True, slots=True)
class Growth:
    """A file that grows: its row, what is expected of it, and whether it is complete or may not be sent now."""

    row: paths.PathRow
    expected_bytes: int
    ended: bool
    held: bool  # by the grower
    paused: bool


def note(db: sqlite3.Connection, row_id: int, *, expected_bytes: int = 0) -> None:
    """This path may go up while it grows."""
    db.execute("INSERT OR IGNORE INTO growing (path_id, expected_bytes) VALUES (?, ?)", (row_id, expected_bytes))
    db.execute("UPDATE growing SET ended = 0 WHERE path_id = ?", (row_id,))


def note_seen(db: sqlite3.Connection, sights: Iterable[paths.Sight]) -> None:
    """The same for what a watch saw, if it is big enough."""
    for sight in sights:
        if sight.fingerprint.size_bytes >= LEAST_BYTES:
            row = paths.find(db, watch=sight.watch, destination=sight.destination, path=sight.path)
            if row is not None:
                note(db, row.id)


def of_destination(db: sqlite3.Connection, destination: str) -> list[Growth]:
    """All of them."""
    found = db.execute(
        "SELECT g.path_id, g.expected_bytes, g.ended, g.held,"
        " EXISTS (SELECT 1 FROM pauses s WHERE s.watch IN ('', p.watch) AND s.destination IN ('', p.destination)"
        " AND s.path IN (x'', p.path)) AS paused"
        " FROM growing g JOIN paths p ON p.id = g.path_id WHERE p.destination = ? ORDER BY g.path_id",
        (destination,),
    ).fetchall()
    return [
        Growth(row, entry["expected_bytes"], bool(entry["ended"]), bool(entry["held"]), bool(entry["paused"]))
        for entry in found
        if (row := paths.get(db, entry["path_id"])) is not None
    ]


def begin(db: sqlite3.Connection, row_id: int, *, size_bytes: int) -> bool:
    """The grower takes the row, or still has it; False if it was decided about meanwhile."""
    row, held = paths.get(db, row_id), _is_held(db, row_id)
    if row is None or row.observed is None or row.state is not (PathState.SENDING if held else PathState.SETTLING):
        return False
    paths.set_(db, row, state=PathState.SENDING, action=Action.SEND, bytes=size_bytes, cause=BEHIND)
    db.execute("UPDATE growing SET held = 1 WHERE path_id = ?", (row_id,))
    return True


def rest(db: sqlite3.Connection, row_id: int, *, cause: str = "") -> None:
    """The grower lets go; the row settles like any other. A set was handed over as finished: it is ready at once."""
    row = paths.get(db, row_id)
    if row is None:
        return
    if row.state is PathState.SENDING and _is_held(db, row_id):
        db.execute("UPDATE growing SET held = 0 WHERE path_id = ?", (row_id,))
        if row.observed is None:
            paths.be_gone(db, row)
            return
        paths.set_(db, row, state=PathState.SETTLING, action=Action.NOTHING, cause=cause)
    ended = db.execute("SELECT ended FROM growing WHERE path_id = ?", (row_id,)).fetchone()
    again = paths.get(db, row_id)
    if row.set_id and ended is not None and ended["ended"] and again is not None:
        paths.settle(db, again)


def _is_held(db: sqlite3.Connection, row_id: int) -> bool:
    found = db.execute("SELECT held FROM growing WHERE path_id = ?", (row_id,)).fetchone()
    return found is not None and bool(found["held"])


def drop(db: sqlite3.Connection, row_id: int) -> None:
    """It is no longer a file that grows."""
    rest(db, row_id)
    db.execute("DELETE FROM growing WHERE path_id = ?", (row_id,))


def drop_row(db: sqlite3.Connection, row_id: int) -> None:
    """Its file never came to an end and is gone: nothing of it is left."""
    db.execute("DELETE FROM paths WHERE id = ? AND delivered IS NULL", (row_id,))
