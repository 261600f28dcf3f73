"""Files whose names are one and the same at a destination: it folds case, or two watches deliver below one base.

Whoever was sent first has the name; the other is held, and neither is overwritten or removed for the other's sake.
"""

from __future__ import annotations

import os
import sqlite3
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from nephos.sync import errors, names, paths


@dataclass(frozen=True, slots=True)
class Naming:
    """How names are told apart at a destination, and which watches deliver there."""

    destination: str
    folds: bool
    watches: frozenset[str]

    @property
    def matters(self) -> bool:
        """Whether there can be namesakes at all."""
        return self.folds or len(self.watches) > 1


def fold(path: bytes) -> bytes:
    """What is left of a name where neither case nor the form of letters with marks counts."""
    return os.fsencode(unicodedata.normalize("NFC", os.fsdecode(path)).casefold())


def know(db: sqlite3.Connection, naming: Naming) -> None:
    """Who has which name at a destination that folds them, from what was delivered there before that was known."""
    if naming.folds:
        found = db.execute(
            "SELECT id, path FROM paths WHERE destination = ? AND delivered IS NOT NULL AND observed IS NOT NULL",
            (naming.destination,),
        )
        entries = [(naming.destination, fold(row["path"]), row["id"]) for row in found]
        db.executemany("INSERT OR IGNORE INTO namesakes VALUES (?, ?, ?)", entries)


def take(db: sqlite3.Connection, naming: Naming, rows: Sequence[paths.PathRow]) -> dict[int, errors.NameTaken]:
    """Each row takes its name; those that cannot, with the reason."""
    refused = {}
    for row in rows:
        rival = owner(db, naming, row)
        if rival is not None:
            refused[row.id] = errors.NameTaken(
                f"{names.shown(rival.path)} of watch {rival.watch} has this name at the destination already.",
                hint="Rename one of the two, then `nephos transfer retry`.",
            )
        elif naming.folds:
            db.execute(
                "INSERT OR REPLACE INTO namesakes VALUES (?, ?, ?)", (naming.destination, fold(row.path), row.id)
            )
    return refused


def owner(db: sqlite3.Connection, naming: Naming, row: paths.PathRow) -> paths.PathRow | None:
    """The other file that has the name there and still is here."""
    others = [
        paths.find(db, watch=watch, destination=naming.destination, path=row.path)
        for watch in sorted(naming.watches - {row.watch})
    ]
    if naming.folds:
        entry = db.execute(
            "SELECT path_id FROM namesakes WHERE destination = ? AND folded = ?", (naming.destination, fold(row.path))
        ).fetchone()
        others.append(paths.get(db, entry["path_id"]) if entry is not None else None)
    return next((other for other in others if other is not None and _has(other, row, naming)), None)


def _has(other: paths.PathRow, row: paths.PathRow, naming: Naming) -> bool:
    """An id may be given again, so the name is looked at too."""
    if other.id == row.id or other.destination != row.destination or other.observed is None or not other.tried:
        return False
    return other.path == row.path or (naming.folds and fold(other.path) == fold(row.path))
