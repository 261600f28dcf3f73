"""Orders to the sync engine from other processes. They only append; the engine alone decides what comes of it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from nephos.config.home import Home
from nephos.lib import errors
from nephos.sync import database, moments


class Kind(StrEnum):
    """What may be ordered."""

    SET = "set"  # deliver these files together: {"set", "watch", "files": [{"path", "name"}]}
    GROW = "grow"  # as a set of one file that is still being written, and goes up meanwhile; also {"expected_bytes"}
    PAUSE = "pause"  # {"watch"?, "destination"?, "path"?}; nothing named means everything
    RESUME = "resume"
    RETRY = "retry"  # what is held or waits: try it now; also {"transfer": id}
    RESCAN = "rescan"  # {"watch"?}
    FREED = "freed"  # {"path"}: we removed this file (its whole path) to make room; that is no deletion
    APPROVE = "approve"  # {"watch", "path"?}: held deletions may go
    UNDO = "undo"  # {"watch", "path"?}: deletions are forgotten, or brought back
    RESTORE = "restore"  # {"watch", "destination"?, "paths"?, "to"}: bring it back into this folder
    VERIFY = "verify"  # {"watch"?, "destination"?, "path"?}: read again what was delivered
    RESET = "reset"  # {"watch"}: the folder as it is now is the right one
    ACKNOWLEDGE = "acknowledge"  # the bridge has the outbox up to {"upto"}


@dataclass(frozen=True, slots=True)
class Order:
    """One order that is not yet carried out."""

    id: int
    key: str
    kind: Kind
    body: dict[str, Any]

    def text(self, name: str) -> str:
        """A field of the body, empty if it is absent."""
        return str(self.body.get(name) or "")


def put(home: Home, *, key: str, kind: Kind | str, body: Mapping[str, Any]) -> bool:
    """Append an order; False if one of this key was given before. Raises Invalid for an unknown kind."""
    if kind not in set(Kind):
        raise errors.Invalid(f"{kind!r} is no order.", hint=f"There are {', '.join(Kind)}.")
    return put_at(home.sync_database, key=key, kind=Kind(kind), body=body)


def put_at(path: Path, *, key: str, kind: Kind, body: Mapping[str, Any]) -> bool:
    """`put` into a given journal file. Raises JournalBroken."""
    connection = database.connect(path)
    try:
        added = connection.execute(
            "INSERT OR IGNORE INTO orders (key, kind, body, made_at) VALUES (?, ?, ?, ?)",
            (key, kind, json.dumps(dict(body)), moments.stamp()),
        ).rowcount
    except sqlite3.Error as error:
        raise errors.NotNow(f"The order could not be written: {error}.", hint="Try again.") from error
    finally:
        connection.close()
    return added == 1


def unfinished(db: sqlite3.Connection, *, limit: int = 200) -> list[Order]:
    """Open orders in the order they came."""
    rows = db.execute(
        "SELECT id, key, kind, body FROM orders WHERE done_at IS NULL ORDER BY id LIMIT ?", (limit,)
    ).fetchall()
    return [Order(row["id"], row["key"], Kind(row["kind"]), json.loads(row["body"])) for row in rows]


def finish(db: sqlite3.Connection, order: Order, *, answer: str = "") -> None:
    """Tick an order off. Acknowledgements leave no trace, the others keep their key so that repeating is harmless."""
    if order.kind is Kind.ACKNOWLEDGE:
        db.execute("DELETE FROM orders WHERE id = ?", (order.id,))
        return
    db.execute("UPDATE orders SET done_at = ?, answer = ? WHERE id = ?", (moments.stamp(), answer, order.id))
