"""What the station is to be told: written in the same transaction as the change it tells of."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nephos.lib import ids
from nephos.sync import database, moments, names

TRANSFER_DELIVERED = "transfer.delivered"
TRANSFERS_DELIVERED = "transfers.delivered"  # {"first", "last"}: receipts; read as a message of each
TRANSFER_HELD = "transfer.held"
SET_DELIVERED = "set.delivered"
SET_REFUSED = "set.refused"
FILESET_SETTLED = "fileset.settled"
SETTINGS_REFUSED = "settings.refused"


@dataclass(frozen=True, slots=True)
class Message:
    """One line of the outbox; `uid` never comes twice for two facts."""

    id: int
    uid: str
    kind: str
    body: dict[str, Any]
    made_at: str


def put(db: sqlite3.Connection, kind: str, body: dict[str, Any]) -> None:
    """Add a message to the running transaction."""
    db.execute(
        "INSERT INTO outbox (uid, kind, body, made_at) VALUES (?, ?, ?, ?)",
        (f"sync:{ids.new()}", kind, json.dumps(body), moments.stamp()),
    )


def read(path: Path, *, after: int, limit: int = 500) -> list[Message]:
    """Messages after an id, oldest first; for the bridge. All that share an id come together, so it may be more."""
    with database.reading(path) as db:
        if db is None:
            return []
        found: list[Message] = []
        for row in db.execute("SELECT * FROM outbox WHERE id > ? ORDER BY id LIMIT ?", (after, limit)):
            found += _messages(db, row)
            if len(found) >= limit:
                break
    return found


def told(receipt: Mapping[str, Any] | sqlite3.Row) -> dict[str, Any]:
    """What is told of a receipt."""
    wanted = ("destination", "key", "bytes", "sha256", "etag", "version", "proof", "at")
    facts = {name: receipt[name] for name in wanted}
    return {"path": names.shown(receipt["path"]), "set": receipt["set_id"], **facts}


def _messages(db: sqlite3.Connection, row: sqlite3.Row) -> Iterator[Message]:
    body = json.loads(row["body"])
    if row["kind"] != TRANSFERS_DELIVERED:
        yield Message(row["id"], row["uid"], row["kind"], body, row["made_at"])
        return
    receipts: Iterable[sqlite3.Row] = db.execute(
        "SELECT * FROM receipts WHERE id BETWEEN ? AND ? ORDER BY id", (body["first"], body["last"])
    )
    for receipt in receipts:
        facts = {"transfer": receipt["path_id"], "watch": receipt["watch"], **told(receipt)}
        yield Message(row["id"], f"{row['uid']}:{receipt['id']}", TRANSFER_DELIVERED, facts, row["made_at"])


def newest(path: Path) -> int:
    """The highest id that was ever given; smaller than before only if the journal was begun anew."""
    with database.reading(path) as db:
        row = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'outbox'").fetchone() if db else None
    return int(row["seq"]) if row else 0


def forget(db: sqlite3.Connection, *, upto: int) -> None:
    """Drop what the bridge has taken over."""
    db.execute("DELETE FROM outbox WHERE id <= ?", (upto,))
