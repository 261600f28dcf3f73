"""What orders come to: sets that are handed over, pauses, retries. Functions inside the journal's transactions."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from nephos.lib import clock
from nephos.sync import errors, fingerprints, growths, names, orders, outbox, paths, recalls, removals, transfers
from nephos.sync.fingerprints import Fingerprint
from nephos.sync.mappings import WatchRule
from nephos.sync.planner import Mode
from nephos.sync.states import PathState


@dataclass(frozen=True, slots=True)
class Member:
    """One file of a set: where it is, its name below the base, and what was found there."""

    source: bytes
    name: bytes
    found: Fingerprint | errors.SyncError


def members(order: orders.Order) -> list[Member]:
    """The files of a set order, looked at now. Raises Invalid if the order makes no sense."""
    files = order.body.get("files")
    if not isinstance(files, list) or not files:
        raise errors.Refused("The order names no files.")
    return [_member(entry) for entry in files]


def _member(entry: object) -> Member:
    if not isinstance(entry, Mapping) or not entry.get("path") or not entry.get("name"):
        raise errors.Refused("A file of the order has no path or no name.")
    source, name = os.fsencode(str(entry["path"])), str(entry["name"])
    refusal = names.refusal(name)
    if refusal:
        raise errors.Refused(refusal)
    try:
        return Member(source, os.fsencode(name), fingerprints.take(source))
    except errors.SyncError as error:
        return Member(source, os.fsencode(name), error)


def hand_over(db: sqlite3.Connection, order: orders.Order, rule: WatchRule | None, found: list[Member]) -> None:
    """Make a row of each file for each destination; what is delivered already stays so."""
    set_id = order.text("set")
    if rule is None:
        refuse(db, order, "There is no such watch, or it is switched off.")
        return
    db.execute(
        "INSERT INTO sets (set_id, watch, asked_at) VALUES (?, ?, ?)"
        " ON CONFLICT (set_id, watch) DO UPDATE SET asked_at = excluded.asked_at, delivered_at = NULL",
        (set_id, rule.name, clock.stamp(clock.now())),
    )
    for destination in rule.destinations:
        for member in found:
            _hand_over_one(db, rule.name, destination, set_id, member)
    transfers.announce_set(db, set_id=set_id, watch=rule.name)
    orders.finish(db, order)


def grow(db: sqlite3.Connection, order: orders.Order, rule: WatchRule | None, found: list[Member]) -> None:
    """Rows of files that are still being written; the set that is handed over later completes them."""
    if rule is None or rule.processes:
        orders.finish(db, order, answer="There is no such watch, it is switched off, or it works on copies.")
        return
    expected = int(order.body.get("expected_bytes") or 0)
    for destination in rule.destinations:
        for member in found:
            if isinstance(member.found, errors.SyncError):
                continue  # it is complete already, under another name
            known = paths.find(db, watch=rule.name, destination=destination, path=member.name)
            if known is None:
                sight = paths.Sight(rule.name, destination, member.name, member.source, member.found, order.text("set"))
                growths.note(db, paths.observe(db, sight).id, expected_bytes=expected)
    orders.finish(db, order)


def refuse(db: sqlite3.Connection, order: orders.Order, reason: str) -> None:
    """An order that cannot be carried out is told, not dropped."""
    if order.kind is orders.Kind.SET:
        body = {"set": order.text("set"), "watch": order.text("watch"), "reason": reason}
        outbox.put(db, outbox.SET_REFUSED, body)
    orders.finish(db, order, answer=reason)


def _hand_over_one(db: sqlite3.Connection, watch: str, destination: str, set_id: str, member: Member) -> None:
    missing = isinstance(member.found, errors.SyncError)
    fingerprint = Fingerprint(0, 0, 0) if isinstance(member.found, errors.SyncError) else member.found
    known = paths.find(db, watch=watch, destination=destination, path=member.name)
    if missing and known is not None and known.state is PathState.DELIVERED and known.set_id == set_id:
        return  # delivered before, and freed here since
    row = paths.observe(db, paths.Sight(watch, destination, member.name, member.source, fingerprint, set_id))
    if isinstance(member.found, errors.SyncError):
        paths.hold(db, row, member.found)
        return
    paths.settle(db, row)
    if row.state is PathState.HELD:
        paths.release(db, row)


def pause(db: sqlite3.Connection, order: orders.Order) -> None:
    """Stop what the order names; it stays stopped over restarts."""
    db.execute("INSERT OR IGNORE INTO pauses (watch, destination, path) VALUES (?, ?, ?)", _scope(db, order))
    orders.finish(db, order)


def resume(db: sqlite3.Connection, order: orders.Order) -> None:
    """Undo pauses of exactly this scope; naming nothing undoes all."""
    watch, destination, path = _scope(db, order)
    if watch or destination or path:
        db.execute("DELETE FROM pauses WHERE watch = ? AND destination = ? AND path = ?", (watch, destination, path))
    else:
        db.execute("DELETE FROM pauses")
    orders.finish(db, order)


def retry(db: sqlite3.Connection, order: orders.Order) -> None:
    """Try what is held or waits, within the scope; `transfer` is the id of one row, whatever its name."""
    watch, destination, path = _scope(db, order)
    found = db.execute(
        "SELECT id FROM paths WHERE state IN ('held', 'waiting') AND ? IN ('', watch) AND ? IN ('', destination)"
        " AND ? IN (x'', path) AND ? IN (0, id)",
        (watch, destination, path, int(order.body.get("transfer") or 0)),
    ).fetchall()
    for entry in found:
        row = paths.get(db, entry["id"])
        if row is not None:
            paths.release(db, row)
    orders.finish(db, order)


def freed(db: sqlite3.Connection, order: orders.Order) -> None:
    """A file that we removed to make room is no deletion."""
    removals.free(db, os.fsencode(order.text("path")))
    orders.finish(db, order)


def approve(db: sqlite3.Connection, order: orders.Order) -> None:
    """Held deletions go."""
    removals.approve(db, watch=order.text("watch"), path=os.fsencode(order.text("path")))
    orders.finish(db, order)


def undo(db: sqlite3.Connection, order: orders.Order) -> None:
    """Deletions are taken back."""
    removals.undo(db, watch=order.text("watch"), path=os.fsencode(order.text("path")))
    orders.finish(db, order)


def restore(db: sqlite3.Connection, order: orders.Order) -> None:
    """What was delivered is read back into a folder."""
    named = order.body.get("paths")
    wanted = [os.fsencode(str(path).strip("/")) for path in named] if isinstance(named, list) else []
    found = recalls.order(
        db,
        kind=recalls.Kind.RESTORE,
        watch=order.text("watch"),
        destination=order.text("destination"),
        wanted=wanted,
        to=os.fsencode(order.text("to")),
    )
    orders.finish(db, order, answer=f"{found} files")


def verify(db: sqlite3.Connection, order: orders.Order) -> None:
    """What was delivered is read again and compared with its receipts."""
    watch, destination, path = _scope(db, order)
    wanted = [path] if path else []
    found = recalls.order(db, kind=recalls.Kind.VERIFY, watch=watch, destination=destination, wanted=wanted, to=b"")
    orders.finish(db, order, answer=f"{found} files")


def reset(db: sqlite3.Connection, order: orders.Order) -> None:
    """Trust the folder as it is: the next look writes a new marker."""
    db.execute("DELETE FROM markers WHERE watch = ?", (order.text("watch"),))
    orders.finish(db, order)


def acknowledge(db: sqlite3.Connection, order: orders.Order) -> None:
    """The bridge has taken messages over."""
    outbox.forget(db, upto=int(order.body.get("upto") or 0))
    orders.finish(db, order)


HANDED_OVER: Mapping[
    orders.Kind, Callable[[sqlite3.Connection, orders.Order, WatchRule | None, list[Member]], None]
] = {orders.Kind.SET: hand_over, orders.Kind.GROW: grow}
"""What is written for orders that bring files."""

WRITES: Mapping[orders.Kind, Callable[[sqlite3.Connection, orders.Order], None]] = {
    orders.Kind.PAUSE: pause,
    orders.Kind.RESUME: resume,
    orders.Kind.RETRY: retry,
    orders.Kind.RESCAN: orders.finish,
    orders.Kind.FREED: freed,
    orders.Kind.APPROVE: approve,
    orders.Kind.UNDO: undo,
    orders.Kind.RESTORE: restore,
    orders.Kind.VERIFY: verify,
    orders.Kind.RESET: reset,
    orders.Kind.ACKNOWLEDGE: acknowledge,
}
"""What each other order writes."""


def release_held(db: sqlite3.Connection, destination: str) -> None:
    """The destination's settings changed: what was held there or waits gets another chance, now."""
    held = "SELECT id FROM paths WHERE state IN ('held', 'waiting') AND destination = ?"
    for entry in db.execute(held, (destination,)).fetchall():
        row = paths.get(db, entry["id"])
        if row is not None:
            paths.release(db, row)


def renew_modes(db: sqlite3.Connection, rules: Mapping[str, WatchRule]) -> None:
    """Note which mappings let deletions travel; where they no longer do, none is left to be done."""
    db.execute("UPDATE mappings SET mode = 'keep'")
    for rule in rules.values():
        db.execute("UPDATE mappings SET mode = ? WHERE watch = ?", (rule.mode, rule.name))
        if rule.mode is not Mode.MIRROR:
            removals.undo_pending(db, rule.name)


def renew_mappings(db: sqlite3.Connection, identities: Mapping[tuple[str, str], str]) -> set[str]:
    """Mappings whose folder, destination or base changed begin anew; receipts and unfinished sets are kept.

    Returns the watches that must look at everything again.
    """
    anew: set[str] = set()
    for (watch, destination), identity in identities.items():
        row = db.execute(
            "SELECT identity FROM mappings WHERE watch = ? AND destination = ?", (watch, destination)
        ).fetchone()
        if row is not None and row["identity"] == identity:
            continue
        anew.add(watch)
        db.execute(
            "DELETE FROM paths WHERE watch = ? AND destination = ? AND (set_id = '' OR state = 'delivered')",
            (watch, destination),
        )
        db.execute(
            "INSERT OR REPLACE INTO mappings (watch, destination, identity) VALUES (?, ?, ?)",
            (watch, destination, identity),
        )
    return anew


def _scope(db: sqlite3.Connection, order: orders.Order) -> tuple[str, str, bytes]:
    if order.body.get("transfer"):  # by its row: a name may be no text
        row = paths.get(db, int(order.body["transfer"]))
        if row is not None:
            return row.watch, row.destination, row.path
    return order.text("watch"), order.text("destination"), os.fsencode(order.text("path"))
