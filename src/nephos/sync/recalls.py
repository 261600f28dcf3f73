"""What is to be had back from a destination, or looked at again there: rows of the journal and what comes of them."""

from __future__ import annotations

import os
import random
import sqlite3
from dataclasses import dataclass
from enum import StrEnum

from nephos.sync import moments, names, outbox, paths
from nephos.sync.states import Action, PathState, Proof


class Kind(StrEnum):
    """Why a file is read."""

    RESTORE = "restore"
    VERIFY = "verify"


@dataclass(frozen=True, slots=True)
class Recall:
    """One delivered version that is read again, and where to."""

    id: int
    kind: Kind
    watch: str
    path: bytes
    target: bytes
    bytes: int
    sha256: str
    receipt: int


def order(db: sqlite3.Connection, *, kind: Kind, watch: str, destination: str, wanted: list[bytes], to: bytes) -> int:
    """Note every path of a watch that is wanted: all, or these and what is below them. How many there are."""
    found = [
        row
        for row in _newest(db, watch, destination)
        if not wanted or any(row["path"] == path or row["path"].startswith(path + b"/") for path in wanted)
    ]
    _put(db, found, kind, to)
    return len(found)


def audit(db: sqlite3.Connection, percent: float) -> int:
    """Look at a share of everything that was delivered, chosen by chance; at least at one."""
    found = _newest(db, "", "")
    if not found or percent <= 0:
        return 0
    share = min(len(found), max(1, round(len(found) * percent / 100)))
    _put(db, random.sample(found, share), Kind.VERIFY, b"")
    return share


def audit_of_day(db: sqlite3.Connection, *, today: str, percent: float) -> int:
    """`audit`, once a day; the first day is that after the first start."""
    number = int(today.replace("-", ""))
    before = db.execute("SELECT value FROM counters WHERE name = 'audit'").fetchone()
    db.execute("INSERT OR REPLACE INTO counters VALUES ('audit', ?)", (number,))
    if before is None or before["value"] == number:
        return 0
    db.execute("DELETE FROM recalls WHERE state = 'done' AND kind = 'verify'")
    return audit(db, percent)


def open_ones(db: sqlite3.Connection, destination: str, *, limit: int = 20) -> list[Recall]:
    """What is still to be read from a destination, oldest first; what is paused is left out."""
    rows = db.execute(
        "SELECT c.*, r.sha256, r.bytes AS size FROM recalls c JOIN receipts r ON r.id = c.receipt_id"
        " WHERE c.destination = ? AND c.state = 'open' AND NOT EXISTS (SELECT 1 FROM pauses s WHERE"
        " s.watch IN ('', c.watch) AND s.destination IN ('', c.destination) AND s.path IN (x'', c.path))"
        " ORDER BY c.kind, c.id LIMIT ?",
        (destination, limit),
    ).fetchall()
    return [
        Recall(
            id=row["id"],
            kind=Kind(row["kind"]),
            watch=row["watch"],
            path=row["path"],
            target=row["target"],
            bytes=row["size"],
            sha256=row["sha256"],
            receipt=row["receipt_id"],
        )
        for row in rows
    ]


def progress(db: sqlite3.Connection, recall: Recall, done: int) -> None:
    """So many bytes were read."""
    db.execute("UPDATE recalls SET bytes_done = ? WHERE id = ?", (done, recall.id))


def finish(db: sqlite3.Connection, recall: Recall, *, good: bool, cause: str = "") -> None:
    """It is there, or it is not what the receipt says: then it is sent anew if it still can be."""
    stamp = moments.stamp()
    db.execute(
        "UPDATE recalls SET state = ?, cause = ?, bytes_done = ?, at = ? WHERE id = ?",
        ("done" if good else "failed", cause, recall.bytes if good else 0, stamp, recall.id),
    )
    if recall.kind is Kind.VERIFY:
        db.execute("INSERT OR REPLACE INTO audits VALUES (?, ?, ?, ?)", (recall.receipt, stamp, good, cause))
        if good:
            _prove(db, recall)
        else:
            _send_again(db, recall, cause)


def _prove(db: sqlite3.Connection, recall: Recall) -> None:
    """All of it was read back and is what was sent: what only the transport said is proven from now on."""
    weak = (Proof.TRANSPORT, Proof.SENT)
    if recall.sha256:
        db.execute(
            "UPDATE receipts SET proof = ? WHERE id = ? AND proof IN (?, ?)", (Proof.READ_BACK, recall.receipt, *weak)
        )


def _send_again(db: sqlite3.Connection, recall: Recall, cause: str) -> None:
    entry = db.execute(
        "SELECT p.id FROM paths p JOIN receipts r ON r.watch = p.watch AND r.destination = p.destination"
        " AND r.path = p.path AND r.fingerprint = p.delivered WHERE r.id = ? AND p.state = 'delivered'",
        (recall.receipt,),
    ).fetchone()
    row = paths.get(db, entry["id"]) if entry is not None else None
    if row is not None and row.observed is not None:
        paths.set_(db, row, state=PathState.READY, action=Action.SEND, delivered=None, cause="", next_try_at=0.0)
        return
    body = {"transfer": row.id if row else 0, "watch": recall.watch, "destination": "", "set": ""}
    place = db.execute("SELECT destination FROM receipts WHERE id = ?", (recall.receipt,)).fetchone()
    reason = f"What is there is not what was delivered, and it is no longer here: {cause}"
    told = {**body, "destination": place["destination"], "path": names.shown(recall.path), "reason": reason}
    outbox.put(db, outbox.TRANSFER_HELD, told)


def _newest(db: sqlite3.Connection, watch: str, destination: str) -> list[sqlite3.Row]:
    """The newest receipt of each path that should still be there."""
    return db.execute(
        "SELECT r.id, r.watch, r.destination, r.path, r.bytes FROM receipts r JOIN (SELECT max(id) AS newest"
        " FROM receipts WHERE ? IN ('', watch) AND ? IN ('', destination) GROUP BY watch, destination, path) n"
        " ON n.newest = r.id JOIN paths p ON p.watch = r.watch AND p.destination = r.destination AND p.path = r.path"
        " AND p.delivered = r.fingerprint ORDER BY r.destination, r.path",
        (watch, destination),
    ).fetchall()


def _put(db: sqlite3.Connection, found: list[sqlite3.Row], kind: Kind, to: bytes) -> None:
    stamp = moments.stamp()
    for row in found:
        target = os.path.join(to, row["path"]) if to else b""
        db.execute(
            "INSERT INTO recalls (kind, watch, destination, path, receipt_id, target, bytes, at)"
            " SELECT ?, ?, ?, ?, ?, ?, ?, ? WHERE NOT EXISTS (SELECT 1 FROM recalls WHERE kind = ? AND receipt_id = ?"
            " AND target = ? AND state = 'open')",
            (
                kind,
                row["watch"],
                row["destination"],
                row["path"],
                row["id"],
                target,
                row["bytes"],
                stamp,
                kind,
                row["id"],
                target,
            ),
        )
