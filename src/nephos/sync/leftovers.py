"""What attempts that will never be gone on with left at a destination: it is removed there, and nothing of others is.

Rows are made by a trigger when a path goes whose last version did not arrive, so none can be forgotten.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Leftover:
    """An upload or a hidden file of ours; without a handle it is the hidden file of a small one."""

    id: int
    path: str
    handle: str
    item: int


def note(db: sqlite3.Connection, path_id: int) -> None:
    """What is unfinished of a path is given up, though the path stays."""
    db.execute(
        "INSERT INTO leftovers (destination, path, handle, item) SELECT p.destination, p.path,"
        " coalesce(u.handle, x''), p.id FROM paths p LEFT JOIN uploads u ON p.id = u.path_id"
        " WHERE p.id = ? AND p.tried = 1 AND (u.handle IS NOT NULL OR p.delivered_generation != p.generation)",
        (path_id,),
    )
    db.execute("DELETE FROM uploads WHERE path_id = ?", (path_id,))


def note_other(db: sqlite3.Connection, path_id: int, *, delivered: str) -> None:
    """What is unfinished of another version than the one that was just delivered; of that one nothing is."""
    db.execute(
        "INSERT INTO leftovers (destination, path, handle, item) SELECT p.destination, p.path, u.handle, p.id"
        " FROM uploads u JOIN paths p ON p.id = u.path_id WHERE p.id = ? AND u.fingerprint != ?",
        (path_id, delivered),
    )
    db.execute("DELETE FROM uploads WHERE path_id = ?", (path_id,))


def note_older(db: sqlite3.Connection, path_ids: Iterable[int]) -> None:
    """What is unfinished of versions before those that were just delivered."""
    db.execute(
        "INSERT INTO leftovers (destination, path, handle, item) SELECT p.destination, p.path, u.handle, p.id"
        " FROM uploads u JOIN paths p ON p.id = u.path_id WHERE u.fingerprint != p.delivered"
        " AND p.id IN (SELECT value FROM json_each(?))",
        (json.dumps(sorted(path_ids)),),
    )


def of(db: sqlite3.Connection, destination: str, *, limit: int = 50) -> list[Leftover]:
    """Some of what is to be removed; what a new attempt has taken over is none."""
    found = db.execute(
        "SELECT * FROM leftovers l WHERE destination = ? AND NOT EXISTS"
        " (SELECT 1 FROM paths p WHERE p.id = l.item AND p.path = l.path AND l.handle = x''"
        " AND p.observed IS NOT NULL) ORDER BY id LIMIT ?",
        (destination, limit),
    ).fetchall()
    return [Leftover(row["id"], os.fsdecode(row["path"]), os.fsdecode(row["handle"]), row["item"]) for row in found]


def forget(db: sqlite3.Connection, leftover_id: int) -> None:
    """It is gone there."""
    db.execute("DELETE FROM leftovers WHERE id = ?", (leftover_id,))
