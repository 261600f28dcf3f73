"""What happens to thousands of rows in the same way, a statement for all of them: seen, begun, delivered.

Only the plain case: whatever needs a closer look is left to `paths` and `transfers`, one row at a time.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

from nephos.sync import leftovers, moments, names, outbox, paths, planner, transfers
from nephos.sync.connections.base import Delivered, Item
from nephos.sync.states import Action, PathState


class Arrival(NamedTuple):
    """An item that is proven at its destination, and the generation that was sent."""

    item: Item
    generation: int
    proof: Delivered


def note(db: sqlite3.Connection, sights: Sequence[paths.Sight]) -> None:
    """Files that were seen and are not quiet yet."""
    if not _insert(db, sights, PathState.SETTLING, Action.NOTHING):
        for sight in sights:
            paths.observe(db, sight)


def accept(db: sqlite3.Connection, sights: Sequence[paths.Sight]) -> bool:
    """Quiet files that nobody knew are ready to be sent; False if some of them need a closer look."""
    for watch, destination in {(sight.watch, sight.destination) for sight in sights}:
        gone = "SELECT 1 FROM paths WHERE watch = ? AND destination = ? AND observed IS NULL LIMIT 1"
        if db.execute(gone, (watch, destination)).fetchone():
            return False  # perhaps one of them is the new name of a file that is gone
    action = planner.plan(observed=sights[0].fingerprint, delivered=None)
    return _insert(db, sights, PathState.READY, action)


def _insert(db: sqlite3.Connection, sights: Sequence[paths.Sight], state: PathState, action: Action) -> bool:
    """False if some of them are known."""
    before, stamp = db.total_changes, moments.stamp()
    change = _numbers(db, len(sights))
    db.executemany(
        "INSERT INTO paths (watch, destination, path, source, set_id, observed, bytes, state, action, changed_at,"
        " change) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (watch, destination, path) DO NOTHING",
        (
            (watch, destination, path, source, set_id, str(version), version.size_bytes, state, action, stamp, number)
            for number, (watch, destination, path, source, version, set_id) in enumerate(sights, start=change)
        ),
    )
    return db.total_changes - before == len(sights)


def begin(db: sqlite3.Connection, rows: Sequence[paths.PathRow]) -> set[int]:
    """An attempt starts for each of these, as it was read; the ids of those that still are as they were."""
    found = db.execute(
        "UPDATE paths SET state = 'sending', attempts = attempts + 1, tried = 1, cause = '', changed_at = ?,"
        " change = ? + e.key FROM json_each(?) AS e WHERE paths.id = json_extract(e.value, '$[0]')"
        " AND generation = json_extract(e.value, '$[1]') AND action = 'send' AND state IN ('ready', 'waiting')"
        " AND observed IS NOT NULL RETURNING paths.id",
        (moments.stamp(), _numbers(db, len(rows)), json.dumps([(row.id, row.generation) for row in rows])),
    ).fetchall()
    return {row[0] for row in found}


def deliver(db: sqlite3.Connection, arrivals: Sequence[Arrival]) -> None:
    """Versions arrived and are proven: receipts, states, and one message that tells of all the receipts."""
    plain = _finish(db, arrivals)
    told = [arrival for arrival in arrivals if arrival.item.id in plain]
    if told:
        leftovers.note_older(db, plain)
        db.execute(
            "DELETE FROM uploads WHERE path_id IN (SELECT value FROM json_each(?))", (json.dumps(sorted(plain)),)
        )
        _write_receipts(db, told)
    for arrival in arrivals:
        if arrival.item.id not in plain:
            transfers.deliver(db, arrival.item, generation=arrival.generation, proof=arrival.proof)


def _finish(db: sqlite3.Connection, arrivals: Sequence[Arrival]) -> set[int]:
    """The ids of rows that are now delivered: no set, no move, and no newer version was seen meanwhile."""
    sent = json.dumps([(arrival.item.id, arrival.generation) for arrival in arrivals])
    found = db.execute(
        "UPDATE paths SET state = 'delivered', action = 'nothing', delivered = observed,"
        " delivered_generation = generation, bytes_done = bytes, attempts = 0, cause = '', changed_at = ?,"
        " change = ? + e.key FROM json_each(?) AS e WHERE paths.id = json_extract(e.value, '$[0]')"
        " AND generation = json_extract(e.value, '$[1]') AND state IN ('sending', 'verifying') AND action = 'send'"
        " AND set_id = '' AND other = x'' AND observed IS NOT NULL RETURNING paths.id",
        (moments.stamp(), _numbers(db, len(arrivals)), sent),
    ).fetchall()
    return {row[0] for row in found}


def _write_receipts(db: sqlite3.Connection, arrivals: Sequence[Arrival]) -> None:
    facts = [
        (item.id, names.shown(proof.key), proof.bytes, proof.sha256, proof.etag, proof.version, proof.proof)
        for item, _, proof in arrivals
    ]
    last = db.execute("SELECT coalesce(max(id), 0) FROM receipts").fetchone()[0]
    db.execute(
        "INSERT INTO receipts (path_id, watch, destination, path, set_id, fingerprint, key, bytes, sha256, etag,"
        " version, proof, at) SELECT p.id, p.watch, p.destination, p.path, p.set_id, p.delivered,"
        " json_extract(e.value, '$[1]'), json_extract(e.value, '$[2]'), json_extract(e.value, '$[3]'),"
        " json_extract(e.value, '$[4]'), json_extract(e.value, '$[5]'), json_extract(e.value, '$[6]'), ?"
        " FROM json_each(?) AS e JOIN paths p ON p.id = json_extract(e.value, '$[0]') ORDER BY e.key",
        (moments.stamp(), json.dumps(facts)),
    )
    outbox.put(db, outbox.TRANSFERS_DELIVERED, {"first": last + 1, "last": last + len(arrivals)})


def _numbers(db: sqlite3.Connection, count: int) -> int:
    """The first of so many fresh numbers of changes."""
    return int(db.execute("SELECT next_changes(?)", (count,)).fetchone()[0])
