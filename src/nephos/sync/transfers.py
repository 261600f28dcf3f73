"""What is kept of a transfer: intent and parts while it runs, a receipt when it is proven."""

from __future__ import annotations

import os
import sqlite3
from dataclasses import dataclass, field
from typing import Any

from nephos.sync import fingerprints, leftovers, moments, names, outbox, paths, removals
from nephos.sync.connections.base import Delivered, Intent, Item, Part
from nephos.sync.errors import JournalBroken
from nephos.sync.journal import Journal
from nephos.sync.meters import Meter
from nephos.sync.states import Action, PathState


def unfinished(db: sqlite3.Connection, path_id: int) -> Intent | None:
    """What an earlier attempt began, with the parts that were acknowledged."""
    row = db.execute("SELECT * FROM uploads WHERE path_id = ?", (path_id,)).fetchone()
    if row is None:
        return None
    found = db.execute("SELECT * FROM parts WHERE path_id = ? ORDER BY number", (path_id,)).fetchall()
    fingerprint = fingerprints.parse(row["fingerprint"])
    if fingerprint is None:
        raise JournalBroken("An unfinished upload has no fingerprint.")
    return Intent(
        transfer=row["transfer"],
        fingerprint=fingerprint,
        key=os.fsdecode(row["key"]),
        handle=os.fsdecode(row["handle"]),
        part_bytes=row["part_bytes"],
        offset=row["offset"],
        parts=tuple(Part(p["number"], p["bytes"], p["etag"], p["crc"], p["sha256"]) for p in found),
        prefix_sha256=row["prefix_sha256"],
    )


def begin(db: sqlite3.Connection, path_id: int, intent: Intent) -> None:
    """Note an intent in place of any older one."""
    forget(db, path_id)
    db.execute(
        "INSERT INTO uploads (path_id, transfer, fingerprint, key, handle, part_bytes, began_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            path_id,
            intent.transfer,
            str(intent.fingerprint),
            os.fsencode(intent.key),
            os.fsencode(intent.handle),
            intent.part_bytes,
            moments.stamp(),
        ),
    )


def add_part(db: sqlite3.Connection, path_id: int, part: Part) -> None:
    """Note a part that the other side has; does nothing if the upload was given up meanwhile."""
    upload = db.execute(
        "SELECT u.part_bytes, p.bytes FROM uploads u JOIN paths p ON p.id = u.path_id WHERE u.path_id = ?", (path_id,)
    ).fetchone()
    if upload is None:
        return
    db.execute(
        "INSERT OR REPLACE INTO parts (path_id, number, bytes, etag, crc, sha256) VALUES (?, ?, ?, ?, ?, ?)",
        (path_id, part.number, part.bytes, part.etag, part.crc, part.sha256),
    )
    done, count = db.execute("SELECT sum(bytes), count(*) FROM parts WHERE path_id = ?", (path_id,)).fetchone()
    part_bytes, size = upload
    paths.progress(db, path_id, bytes_done=done, parts=-(-size // part_bytes), parts_done=count)


def add_offset(db: sqlite3.Connection, path_id: int, offset: int, prefix_sha256: str = "") -> None:
    """Note how many bytes the other side has without a hole, and their sum where it is known."""
    db.execute("UPDATE uploads SET offset = ?, prefix_sha256 = ? WHERE path_id = ?", (offset, prefix_sha256, path_id))
    paths.progress(db, path_id, bytes_done=offset, parts=0, parts_done=0)


def adopt(db: sqlite3.Connection, path_id: int, intent: Intent) -> None:
    """The unfinished upload belongs to another state of the file from now on; only these parts of it are kept."""
    kept = [part.number for part in intent.parts]
    db.execute("UPDATE uploads SET fingerprint = ? WHERE path_id = ?", (str(intent.fingerprint), path_id))
    db.execute(
        f"DELETE FROM parts WHERE path_id = ? AND number NOT IN ({', '.join('?' * len(kept))})",  # noqa: S608 - marks
        (path_id, *kept),
    )


def forget(db: sqlite3.Connection, path_id: int) -> None:
    """Nothing is unfinished any more."""
    db.execute("DELETE FROM uploads WHERE path_id = ?", (path_id,))


def deliver(db: sqlite3.Connection, item: Item, *, generation: int, proof: Delivered) -> None:
    """A version arrived and is proven: receipt, state, message, and perhaps its set is complete."""
    row = paths.get(db, item.id)
    if row is None:
        return
    leftovers.note_other(
        db, item.id, delivered=str(item.fingerprint)
    )  # a small version may follow a big one's beginning
    receipt = _receipt(row, item, proof)
    db.execute(
        "INSERT INTO receipts (path_id, watch, destination, path, set_id, fingerprint, key, bytes, sha256, etag,"
        " version, proof, at) VALUES (:path_id, :watch, :destination, :path, :set_id, :fingerprint, :key, :bytes,"
        " :sha256, :etag, :version, :proof, :at)",
        receipt,
    )
    paths.finish(db, row, generation=generation, fingerprint=item.fingerprint)
    if row.other and row.action is Action.SEND:
        removals.let_old_name_go(db, row)
    outbox.put(db, outbox.TRANSFER_DELIVERED, {"transfer": row.id, "watch": row.watch, **outbox.told(receipt)})
    if row.set_id:
        announce_set(db, set_id=row.set_id, watch=row.watch)


def announce_set(db: sqlite3.Connection, *, set_id: str, watch: str) -> None:
    """Tell that a set is delivered, when the last of its files is; once for each time it was asked for."""
    open_rows = db.execute(
        "SELECT count(*) FROM paths WHERE set_id = ? AND watch = ? AND state != ?", (set_id, watch, PathState.DELIVERED)
    ).fetchone()[0]
    if open_rows:
        return
    told = db.execute(
        "UPDATE sets SET delivered_at = ? WHERE set_id = ? AND watch = ? AND delivered_at IS NULL",
        (moments.stamp(), set_id, watch),
    ).rowcount
    if told:
        found = db.execute(
            "SELECT r.* FROM receipts r JOIN (SELECT max(r.id) AS newest FROM receipts r JOIN paths p ON"
            " p.watch = r.watch AND p.destination = r.destination AND p.path = r.path"
            " WHERE p.set_id = ? AND p.watch = ? GROUP BY r.destination, r.path) n ON n.newest = r.id"
            " ORDER BY r.destination, r.path",
            (set_id, watch),
        ).fetchall()
        receipts = [outbox.told(receipt) for receipt in found]
        outbox.put(db, outbox.SET_DELIVERED, {"set": set_id, "watch": watch, "receipts": receipts})


def _receipt(row: paths.PathRow, item: Item, proof: Delivered) -> dict[str, Any]:
    return {
        "path_id": row.id,
        "watch": row.watch,
        "destination": row.destination,
        "path": row.path,
        "set_id": row.set_id,
        "fingerprint": str(item.fingerprint),
        "key": names.shown(proof.key),
        "bytes": proof.bytes,
        "sha256": proof.sha256,
        "etag": proof.etag,
        "version": proof.version,
        "proof": str(proof.proof),
        "at": moments.stamp(),
    }


@dataclass(frozen=True, slots=True)
class Notes:
    """The journal as a connection sees it; what it acknowledges is metered on the way."""

    journal: Journal
    meter: Meter
    _counted: dict[int, int] = field(default_factory=dict)

    def count(self, item: Item, *, total: int) -> None:
        """So many bytes of an item are there now."""
        before = self._counted.get(item.id, 0)
        self._counted[item.id] = max(before, total)
        self.meter.add(max(0, total - before))

    def end(self, item: Item) -> None:
        """The item's attempt is over, and all of it is there."""
        before = self._counted.pop(item.id, 0)
        self.meter.add(max(0, item.fingerprint.size_bytes - before), files=1)

    def unfinished(self, item: Item) -> Intent | None:
        return self.journal.commit(lambda db: unfinished(db, item.id))

    def intent(self, item: Item, intent: Intent) -> None:
        self.journal.commit(lambda db: begin(db, item.id, intent))

    def part(self, item: Item, part: Part) -> None:
        self.count(item, total=self._counted.get(item.id, 0) + part.bytes)
        self.journal.submit(lambda db: add_part(db, item.id, part))

    def offset(self, item: Item, offset: int, prefix_sha256: str = "") -> None:
        self.count(item, total=offset)
        self.journal.submit(lambda db: add_offset(db, item.id, offset, prefix_sha256))

    def adopt(self, item: Item, intent: Intent) -> None:
        self.journal.commit(lambda db: adopt(db, item.id, intent))

    def verifying(self, item: Item) -> None:
        self.journal.submit(lambda db: paths.verifying(db, item.id))

    def forget(self, item: Item) -> None:
        self.journal.submit(lambda db: forget(db, item.id))
