"""The rows: one for each path on each destination. Functions of a connection, run inside the journal's transactions."""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple

from nephos.lib import backoff, clock
from nephos.sync import errors, fingerprints, leftovers, moments, names, outbox, planner
from nephos.sync.fingerprints import Fingerprint
from nephos.sync.states import BUSY, PATH, Action, PathState

_RETRIES = backoff.Backoff(first=timedelta(seconds=1), most=timedelta(minutes=5))
ASKED = b"\0rule"  # in `other`: held because a rule failed; no path can be called so
FARTHEST = timedelta(hours=1)  # a next try beyond this is the work of a clock that was set back


class PathRow(NamedTuple):
    """A row as the engine works with it. A tuple, as there are thousands a second."""

    id: int
    watch: str
    destination: str
    path: bytes
    source: bytes
    set_id: str
    state: PathState
    generation: int
    observed: Fingerprint | None
    delivered: Fingerprint | None
    attempts: int
    action: Action = Action.NOTHING
    other: bytes = b""  # of a move: the old path; of a deletion that ends a move: the new one
    freed: bool = False
    tried: bool = False  # something may have arrived, whether or not we heard of it


class Sight(NamedTuple):
    """A file that was seen."""

    watch: str
    destination: str
    path: bytes
    source: bytes
    fingerprint: Fingerprint
    set_id: str = ""


_COLUMNS = (
    "id, watch, destination, path, source, set_id, state, generation, observed, delivered, attempts, action, other,"
    " freed, tried"
)
_SELECT = f"SELECT {_COLUMNS} FROM paths"  # noqa: S608 - names of our own
_STATES = {str(state): state for state in PathState}
_ACTIONS = {str(action): action for action in Action}


def get(db: sqlite3.Connection, row_id: int) -> PathRow | None:
    """The row of an id."""
    found = db.execute(f"{_SELECT} WHERE id = ?", (row_id,)).fetchone()
    return _row(found) if found else None


def find(db: sqlite3.Connection, *, watch: str, destination: str, path: bytes) -> PathRow | None:
    """The row of a path."""
    found = db.execute(
        f"{_SELECT} WHERE watch = ? AND destination = ? AND path = ?", (watch, destination, path)
    ).fetchone()
    return _row(found) if found else None


def of_mapping(db: sqlite3.Connection, *, watch: str, destination: str) -> list[PathRow]:
    """All rows of a watch on one destination."""
    found = db.execute(f"{_SELECT} WHERE watch = ? AND destination = ?", (watch, destination)).fetchall()
    return [_row(row) for row in found]


def observe(db: sqlite3.Connection, sight: Sight) -> PathRow:
    """Note what is seen of a path. A new version bumps the generation and lets the path settle anew."""
    row = find(db, watch=sight.watch, destination=sight.destination, path=sight.path)
    if row is None:
        return _insert(db, sight)
    if row.observed == sight.fingerprint and row.set_id == sight.set_id:
        return row
    state = row.state if row.state in BUSY else PathState.SETTLING
    set_(
        db,
        row,
        state=state,
        observed=str(sight.fingerprint),
        source=sight.source,
        set_id=sight.set_id,
        generation=row.generation + (row.observed != sight.fingerprint),
        bytes=sight.fingerprint.size_bytes if state not in BUSY else None,
        attempts=0,
        **({} if state in BUSY else _AS_IT_IS),
    )
    return get(db, row.id) or row


def settle(db: sqlite3.Connection, row: PathRow) -> bool:
    """The path is quiet: let the planner decide. False while an operation still runs on an older version."""
    if row.state is not PathState.SETTLING:
        if row.state is PathState.SENDING:  # by the grower, perhaps: it lets go when it knows
            db.execute("UPDATE growing SET ended = 1 WHERE path_id = ?", (row.id,))
        return row.state not in BUSY
    if row.observed is None:
        return True
    moved = _moved_from(db, row)
    action = planner.plan(observed=row.observed, delivered=row.delivered, moved_from=moved.delivered if moved else None)
    if action is Action.NOTHING:
        state = PathState.DELIVERED
        set_(db, row, state=state, action=action, cause="", delivered_generation=row.generation)
        return True
    other = moved.path if moved and action is Action.MOVE else b""
    # Progress and cause belong to the version before.
    set_(db, row, state=PathState.READY, action=action, other=other, cause="", next_try_at=0.0, **_NOT_BEGUN)
    return True


def _moved_from(db: sqlite3.Connection, row: PathRow) -> PathRow | None:
    """A path that was delivered with this very version and is gone here."""
    if row.delivered is not None or row.set_id:
        return None
    found = db.execute(
        f"{_SELECT} WHERE watch = ? AND destination = ? AND delivered = ? AND observed IS NULL"
        " AND set_id = '' AND freed = 0 AND state NOT IN ('sending', 'verifying') LIMIT 1",
        (row.watch, row.destination, str(row.observed)),
    ).fetchone()
    return _row(found) if found else None


def vanish(db: sqlite3.Connection, row: PathRow) -> None:
    """The file is no longer here. What was delivered stays, or in mode mirror waits to be removed there."""
    if row.state in BUSY:
        if row.observed is not None:
            set_(db, row, observed=None, generation=row.generation + 1)
    elif row.observed is not None:
        be_gone(db, row)


def be_gone(db: sqlite3.Connection, row: PathRow) -> None:
    """Nothing is here any more, and nobody works on it."""
    if mirrors(db, row.watch, row.destination) and not row.freed and (row.delivered is not None or row.tried):
        cause = "It is gone here; a whole look through the folder has to confirm that."
        set_(db, row, state=PathState.SETTLING, observed=None, cause=cause, action=Action.DELETE, other=b"")
    elif row.delivered is None:
        db.execute("DELETE FROM paths WHERE id = ?", (row.id,))
    else:
        set_(db, row, state=PathState.DELIVERED, observed=None, cause="", action=Action.NOTHING, other=b"")
        leftovers.note(db, row.id)


def mirrors(db: sqlite3.Connection, watch: str, destination: str) -> bool:
    """Whether deletions of a mapping travel."""
    row = db.execute("SELECT mode FROM mappings WHERE watch = ? AND destination = ?", (watch, destination)).fetchone()
    return row is not None and row["mode"] == planner.Mode.MIRROR


@dataclass(frozen=True, slots=True)
class Lane:
    """Which rows a sender takes: a destination, the watches that feed it, and sizes in a half-open range."""

    destination: str
    watches: frozenset[str]
    least_bytes: int
    most_bytes: int


def due(db: sqlite3.Connection, lane: Lane, *, limit: int) -> list[PathRow]:
    """Rows that may be sent now, oldest first, what is tried again last; what is paused is left out."""
    now = clock.unix()
    rows = _due(db, lane, "p.state = 'ready'", (), limit)
    if len(rows) < limit:
        again = "p.state = 'waiting' AND (p.next_try_at <= ? OR p.next_try_at > ?)"
        rows += _due(db, lane, again, (now, now + FARTHEST.total_seconds()), limit - len(rows))
    return rows


def _due(db: sqlite3.Connection, lane: Lane, condition: str, values: Sequence[float], limit: int) -> list[PathRow]:
    # The index has the rows in this order, so that of a backlog of any length only the wanted ones are read.
    found = db.execute(
        f"""
        SELECT {_COLUMNS} FROM paths p INDEXED BY paths_due
        WHERE p.destination = ? AND {condition} AND p.action = 'send' AND p.bytes >= ? AND p.bytes < ?
          AND p.watch IN ({", ".join("?" * len(lane.watches))})
          AND NOT EXISTS (SELECT 1 FROM pauses s WHERE s.watch IN ('', p.watch)
                          AND s.destination IN ('', p.destination) AND s.path IN (x'', p.path))
        ORDER BY p.next_try_at, p.id LIMIT ?
        """,  # noqa: S608 - only question marks and words of our own are put in
        (lane.destination, *values, lane.least_bytes, lane.most_bytes, *lane.watches, limit),
    ).fetchall()
    return [_row(row) for row in found]


def begin(db: sqlite3.Connection, row: PathRow, fingerprint: Fingerprint) -> int:
    """An attempt starts, on this version of the file; its generation."""
    generation = row.generation + (row.observed != fingerprint)
    set_(
        db,
        row,
        state=PathState.SENDING,
        attempts=row.attempts + 1,
        tried=1,
        observed=str(fingerprint),
        generation=generation,
        bytes=fingerprint.size_bytes,
        cause="",
    )
    return generation


def verifying(db: sqlite3.Connection, row_id: int) -> None:
    """All is sent; now it is proven."""
    row = get(db, row_id)
    if row is not None and row.state is PathState.SENDING:
        set_(db, row, state=PathState.VERIFYING)


def progress(db: sqlite3.Connection, row_id: int, *, bytes_done: int, parts: int, parts_done: int) -> None:
    """How far a transfer has come, as the other side acknowledged it."""
    row = get(db, row_id)
    if row is not None:
        set_(db, row, bytes_done=bytes_done, parts=parts, parts_done=parts_done)


def fail(db: sqlite3.Connection, row_id: int, error: errors.SyncError, *, delay: timedelta | None = None) -> None:
    """An attempt ended without delivery: wait, hold, settle anew or just go on later."""
    row = get(db, row_id)
    if row is None or row.state not in {*BUSY, PathState.READY, PathState.WAITING}:
        return
    if not isinstance(error, errors.Interrupted):
        _log(db, row, f"{error.message} {error.hint}".strip())
    if row.observed is None and row.action in {Action.SEND, Action.MOVE}:
        be_gone(db, row)  # it went away while it was sent
        return
    match error:
        case errors.Interrupted():
            set_(db, row, state=PathState.READY, attempts=max(0, row.attempts - 1))
        case errors.SourceChanged() if not row.set_id:
            set_(db, row, state=PathState.SETTLING, cause=error.message)
        case errors.SourceGone() if not row.set_id:
            set_(db, row, state=PathState.SETTLING, cause=error.message)
        case _ if error.permanent:
            hold(db, row, error)
        case _:
            pause = delay or max(error.retry_after, _RETRIES.delay(row.attempts - 1))
            moment = clock.unix() + pause.total_seconds()
            set_(db, row, state=PathState.WAITING, cause=error.message, next_try_at=moment)


def _log(db: sqlite3.Connection, row: PathRow, what: str) -> None:
    db.execute(
        "INSERT INTO attempts (path_id, at, action, what) VALUES (?, ?, ?, ?)",
        (row.id, moments.stamp(), row.action, what),
    )


def hold(db: sqlite3.Connection, row: PathRow, error: errors.SyncError) -> None:
    """Stop trying and say why, once."""
    cause = f"{error.message} {error.hint}".strip()
    set_(db, row, state=PathState.HELD, cause=cause)
    outbox.put(
        db,
        outbox.TRANSFER_HELD,
        {
            "transfer": row.id,
            "watch": row.watch,
            "destination": row.destination,
            "path": names.shown(row.path),
            "set": row.set_id,
            "reason": cause,
        },
    )


def release(db: sqlite3.Connection, row: PathRow) -> None:
    """Try it now: what was held or waits becomes ready."""
    if row.state is PathState.HELD and row.other == ASKED:
        set_(db, row, state=PathState.SETTLING, other=b"", cause="")
    elif row.state in {PathState.HELD, PathState.WAITING}:
        action = row.action if row.action is not Action.NOTHING else Action.SEND
        set_(db, row, state=PathState.READY, action=action, next_try_at=0.0, attempts=0, cause="")


def finish(db: sqlite3.Connection, row: PathRow, *, generation: int, fingerprint: Fingerprint) -> None:
    """A version is proven at the destination. If a newer one was seen meanwhile the path settles anew."""
    newest = row.generation == generation
    if not newest and row.observed is None:
        set_(db, row, delivered=str(fingerprint), delivered_generation=generation, attempts=0)
        be_gone(db, row)
        return
    newer = PathState.READY if row.set_id else PathState.SETTLING  # a set was handed over as finished
    set_(
        db,
        row,
        state=PathState.DELIVERED if newest else newer,
        action=Action.NOTHING if newest else Action.SEND,
        other=b"",
        delivered=str(fingerprint),
        delivered_generation=generation,
        bytes_done=fingerprint.size_bytes,
        attempts=0,
        cause="",
    )


def recover(db: sqlite3.Connection) -> int:
    """After a crash: what was being sent is ready again, its journalled parts are kept; what grew grows on."""
    grew = {found[0] for found in db.execute("SELECT path_id FROM growing WHERE held = 1").fetchall()}
    db.execute("UPDATE growing SET held = 0")
    rows = db.execute(f"{_SELECT} WHERE state IN ('sending', 'verifying')").fetchall()
    for row in map(_row, rows):
        set_(db, row, state=PathState.SETTLING if row.id in grew else PathState.READY)
    for row in map(_row, db.execute(f"{_SELECT} WHERE state = 'ready' AND observed IS NULL AND action != 'delete'")):
        be_gone(db, row)  # it went away while it was sent, and nobody came to say so
    return len(rows)


_AS_IT_IS: dict[str, str | int | bytes] = {"action": Action.NOTHING, "other": b"", "freed": 0, "cause": ""}
_NOT_BEGUN = {"bytes_done": 0, "parts": 0, "parts_done": 0, "attempts": 0}


def _insert(db: sqlite3.Connection, sight: Sight) -> PathRow:
    cursor = db.execute(
        "INSERT INTO paths (watch, destination, path, source, set_id, state, observed, bytes, changed_at, change)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, next_change())",
        (
            sight.watch,
            sight.destination,
            sight.path,
            sight.source,
            sight.set_id,
            PATH.first,
            str(sight.fingerprint),
            sight.fingerprint.size_bytes,
            moments.stamp(),
        ),
    )
    assert cursor.lastrowid is not None  # noqa: S101 - an INSERT that did not raise has one
    return PathRow(
        id=cursor.lastrowid,
        watch=sight.watch,
        destination=sight.destination,
        path=sight.path,
        source=sight.source,
        set_id=sight.set_id,
        state=PATH.first,
        generation=1,
        observed=sight.fingerprint,
        delivered=None,
        attempts=0,
    )


def set_(
    db: sqlite3.Connection, row: PathRow, state: PathState | None = None, **values: str | int | float | bytes | None
) -> None:
    """Change a row and number the change. Raises JournalBroken for a move that the table of states does not know."""
    if state is not None and state != row.state and not PATH.allows(row.state, state):
        raise errors.JournalBroken(f"A path cannot go from {row.state} to {state}.")
    if values.get("bytes", 0) is None:
        del values["bytes"]
    values |= {"state": state} if state is not None else {}
    values |= {"changed_at": moments.stamp()}
    db.execute(_update(tuple(values)), (*values.values(), row.id))


@functools.cache
def _update(columns: tuple[str, ...]) -> str:
    """The statement that sets these columns; only names of our own are put into it."""
    return f"UPDATE paths SET {', '.join(f'{name} = ?' for name in columns)}, change = next_change() WHERE id = ?"  # noqa: S608


def _row(row: Sequence[Any]) -> PathRow:
    """From the columns in their order."""
    number, watch, destination, path, source, set_id, state, generation, observed, delivered, attempts, *rest = row
    action, other, freed, tried = rest
    versions = fingerprints.parse(observed), fingerprints.parse(delivered)
    identity = (number, watch, destination, path, source, set_id, _STATES[state], generation)
    return PathRow(*identity, *versions, attempts, _ACTIONS[action], other, bool(freed), bool(tried))
