"""Rows after the rules have spoken: what is left here, and what is held because nobody knows."""

from __future__ import annotations

import sqlite3

from nephos.sync import errors, paths
from nephos.sync.states import BUSY, Action, PathState


def settling(db: sqlite3.Connection, watch: str) -> list[bytes]:
    """Paths of a watch that are seen and not yet decided about."""
    found = db.execute(
        "SELECT DISTINCT path FROM paths WHERE watch = ? AND state = 'settling' AND observed IS NOT NULL", (watch,)
    ).fetchall()
    return [row["path"] for row in found]


def leave_all(db: sqlite3.Connection, rows: list[paths.PathRow]) -> None:
    """A rule does not take the file as it is now."""
    for row in rows:
        if row.state in BUSY:
            continue
        if row.delivered is None and not row.tried:
            db.execute("DELETE FROM paths WHERE id = ?", (row.id,))
        else:
            paths.set_(
                db, row, state=PathState.DELIVERED, action=Action.NOTHING, cause="A rule leaves this version here."
            )


def hold_unasked(db: sqlite3.Connection, rows: list[paths.PathRow], error: errors.SyncError) -> None:
    """A rule failed: nobody knows whether the file is taken, so nothing happens to it."""
    for row in rows:
        if row.state not in BUSY and row.state is not PathState.HELD:
            paths.hold(db, row, error)
            db.execute("UPDATE paths SET other = ? WHERE id = ?", (paths.ASKED, row.id))
