"""The file `sync.db`: its tables, their versions, and how it is opened."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

from nephos.lib import clock
from nephos.sync import errors

_BUSY_SECONDS = 15.0
_AGAIN_SECONDS = 0.02

# For a first look through many files: pages of the indexes stay in memory, and are not copied again and again.
_CACHE_KIB = 16 * 1024
_CHECKPOINT_PAGES = 8_000

# One entry a version; never changed once released, only followed by another.
_VERSIONS = (
    """
    CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
    INSERT INTO counters VALUES ('change', 0);

    CREATE TABLE mappings (
        watch TEXT NOT NULL, destination TEXT NOT NULL, identity TEXT NOT NULL,
        PRIMARY KEY (watch, destination)
    ) WITHOUT ROWID;

    CREATE TABLE paths (
        id INTEGER PRIMARY KEY,
        watch TEXT NOT NULL, destination TEXT NOT NULL, path BLOB NOT NULL,
        source BLOB NOT NULL, set_id TEXT NOT NULL DEFAULT '',
        state TEXT NOT NULL, action TEXT NOT NULL DEFAULT 'nothing',
        generation INTEGER NOT NULL DEFAULT 1, observed TEXT,
        delivered_generation INTEGER NOT NULL DEFAULT 0, delivered TEXT,
        attempts INTEGER NOT NULL DEFAULT 0, cause TEXT NOT NULL DEFAULT '', next_try_at REAL NOT NULL DEFAULT 0,
        bytes INTEGER NOT NULL DEFAULT 0, bytes_done INTEGER NOT NULL DEFAULT 0,
        parts INTEGER NOT NULL DEFAULT 0, parts_done INTEGER NOT NULL DEFAULT 0,
        changed_at TEXT NOT NULL, change INTEGER NOT NULL,
        UNIQUE (watch, destination, path)
    );
    CREATE INDEX paths_by_work ON paths (destination, state, next_try_at);
    CREATE INDEX paths_by_state ON paths (watch, destination, state);
    CREATE INDEX paths_by_change ON paths (change);
    CREATE INDEX paths_by_set ON paths (set_id, watch) WHERE set_id != '';

    CREATE TABLE uploads (
        path_id INTEGER PRIMARY KEY REFERENCES paths (id) ON DELETE CASCADE,
        transfer TEXT NOT NULL, fingerprint TEXT NOT NULL, key BLOB NOT NULL, handle BLOB NOT NULL,
        part_bytes INTEGER NOT NULL, offset INTEGER NOT NULL DEFAULT 0, began_at TEXT NOT NULL
    );
    CREATE TABLE parts (
        path_id INTEGER NOT NULL REFERENCES uploads (path_id) ON DELETE CASCADE,
        number INTEGER NOT NULL, bytes INTEGER NOT NULL, etag TEXT NOT NULL, crc TEXT NOT NULL, sha256 TEXT NOT NULL,
        PRIMARY KEY (path_id, number)
    ) WITHOUT ROWID;

    CREATE TABLE receipts (
        id INTEGER PRIMARY KEY, watch TEXT NOT NULL, destination TEXT NOT NULL, path BLOB NOT NULL,
        set_id TEXT NOT NULL, fingerprint TEXT NOT NULL, key TEXT NOT NULL, bytes INTEGER NOT NULL,
        sha256 TEXT NOT NULL, etag TEXT NOT NULL, version TEXT NOT NULL, proof TEXT NOT NULL, at TEXT NOT NULL
    );
    CREATE INDEX receipts_by_path ON receipts (watch, destination, path);
    CREATE INDEX receipts_by_set ON receipts (set_id, watch) WHERE set_id != '';

    CREATE TABLE sets (
        set_id TEXT NOT NULL, watch TEXT NOT NULL, asked_at TEXT NOT NULL, delivered_at TEXT,
        PRIMARY KEY (set_id, watch)
    ) WITHOUT ROWID;
    CREATE TABLE filesets (
        watch TEXT NOT NULL, stem BLOB NOT NULL, signature TEXT NOT NULL, announced_at TEXT NOT NULL,
        PRIMARY KEY (watch, stem)
    ) WITHOUT ROWID;

    CREATE TABLE orders (
        id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, body TEXT NOT NULL,
        made_at TEXT NOT NULL, done_at TEXT, answer TEXT NOT NULL DEFAULT ''
    );
    CREATE INDEX orders_open ON orders (id) WHERE done_at IS NULL;
    CREATE TABLE outbox (
        id INTEGER PRIMARY KEY AUTOINCREMENT, uid TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, body TEXT NOT NULL,
        made_at TEXT NOT NULL
    );
    CREATE TABLE pauses (
        watch TEXT NOT NULL, destination TEXT NOT NULL, path BLOB NOT NULL, PRIMARY KEY (watch, destination, path)
    ) WITHOUT ROWID;
    CREATE TABLE profiles (
        destination TEXT PRIMARY KEY, identity TEXT NOT NULL, body TEXT NOT NULL, probed_at TEXT NOT NULL
    ) WITHOUT ROWID;
    """,
    """
    ALTER TABLE paths ADD COLUMN other BLOB NOT NULL DEFAULT x'';
    ALTER TABLE paths ADD COLUMN freed INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE paths ADD COLUMN tried INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE mappings ADD COLUMN mode TEXT NOT NULL DEFAULT 'keep';
    CREATE INDEX paths_gone ON paths (watch, destination, delivered) WHERE observed IS NULL;
    CREATE INDEX paths_by_action ON paths (destination, action) WHERE action IN ('move', 'delete');
    CREATE INDEX paths_by_source ON paths (source);

    CREATE TABLE markers (watch TEXT PRIMARY KEY, marker TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE removed (
        id INTEGER PRIMARY KEY, watch TEXT NOT NULL, destination TEXT NOT NULL, path BLOB NOT NULL,
        kept_as TEXT NOT NULL, bytes INTEGER NOT NULL, at TEXT NOT NULL, until REAL NOT NULL,
        wanted INTEGER NOT NULL DEFAULT 0
    );
    CREATE TABLE attempts (
        id INTEGER PRIMARY KEY, path_id INTEGER NOT NULL, at TEXT NOT NULL, action TEXT NOT NULL, what TEXT NOT NULL
    );
    CREATE INDEX attempts_by_path ON attempts (path_id, id);
    CREATE TABLE recalls (
        id INTEGER PRIMARY KEY, kind TEXT NOT NULL, watch TEXT NOT NULL, destination TEXT NOT NULL,
        path BLOB NOT NULL, receipt_id INTEGER NOT NULL, target BLOB NOT NULL, bytes INTEGER NOT NULL,
        bytes_done INTEGER NOT NULL DEFAULT 0, state TEXT NOT NULL DEFAULT 'open', cause TEXT NOT NULL DEFAULT '',
        at TEXT NOT NULL
    );
    CREATE INDEX recalls_open ON recalls (destination, id) WHERE state = 'open';
    CREATE TABLE audits (
        receipt_id INTEGER PRIMARY KEY, at TEXT NOT NULL, good INTEGER NOT NULL, what TEXT NOT NULL
    );
    """,
    """
    CREATE TABLE growing (
        path_id INTEGER PRIMARY KEY REFERENCES paths (id) ON DELETE CASCADE,
        expected_bytes INTEGER NOT NULL DEFAULT 0, ended INTEGER NOT NULL DEFAULT 0, held INTEGER NOT NULL DEFAULT 0
    );
    ALTER TABLE uploads ADD COLUMN prefix_sha256 TEXT NOT NULL DEFAULT '';
    """,
    """
    DROP INDEX paths_by_state;
    DROP INDEX paths_by_work;
    CREATE INDEX paths_due ON paths (destination, state, next_try_at, id, bytes, action);
    ALTER TABLE receipts ADD COLUMN path_id INTEGER NOT NULL DEFAULT 0;
    """,
    """
    CREATE TABLE leftovers (
        id INTEGER PRIMARY KEY, destination TEXT NOT NULL, path BLOB NOT NULL, handle BLOB NOT NULL,
        item INTEGER NOT NULL
    );
    CREATE TRIGGER paths_leave BEFORE DELETE ON paths WHEN OLD.tried = 1
        AND (OLD.delivered_generation != OLD.generation OR EXISTS (SELECT 1 FROM uploads WHERE path_id = OLD.id))
    BEGIN INSERT INTO leftovers (destination, path, handle, item) SELECT OLD.destination, OLD.path,
        coalesce((SELECT handle FROM uploads WHERE path_id = OLD.id), x''), OLD.id; END;
    """,
    """
    DROP INDEX paths_by_source;
    CREATE INDEX paths_by_source ON paths (source) WHERE delivered IS NOT NULL;
    """,
    """
    CREATE TABLE namesakes (
        destination TEXT NOT NULL, folded BLOB NOT NULL, path_id INTEGER NOT NULL, PRIMARY KEY (destination, folded)
    ) WITHOUT ROWID;
    """,
)


def connect(path: Path) -> sqlite3.Connection:
    """Open for writing; makes the file and brings its tables up to date. Raises JournalBroken."""
    try:
        connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        _write_ahead(connection)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
        connection.row_factory = sqlite3.Row
        _migrate(connection)
    except sqlite3.Error as error:
        raise errors.JournalBroken(f"The sync journal {path} cannot be used: {error}.") from error
    return connection


@contextlib.contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection | None]:
    """A read-only connection, or None where nothing was ever written."""
    if not path.exists():
        yield None
        return
    try:
        connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=_BUSY_SECONDS)
    except sqlite3.Error as error:
        raise errors.JournalBroken(f"The sync journal {path} cannot be read: {error}.") from error
    connection.row_factory = sqlite3.Row
    try:
        ready = connection.execute("PRAGMA user_version").fetchone()[0] >= len(_VERSIONS)
        yield connection if ready else None
    finally:
        connection.close()


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Keep a write-ahead log. Two who make the file at the same moment: SQLite refuses the second at once here."""
    until = clock.monotonic() + _BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if clock.monotonic() > until:
                raise
            threading.Event().wait(_AGAIN_SECONDS)
        else:
            return


def _migrate(connection: sqlite3.Connection) -> None:
    if _version(connection) == len(_VERSIONS):
        return
    connection.execute("BEGIN EXCLUSIVE")  # another process may be here at the same moment
    try:
        version = _version(connection)
        if version > len(_VERSIONS):
            raise errors.JournalBroken(
                "The sync journal was written by a newer version of Nephos.", hint="Install that version again."
            )
        for script in _VERSIONS[version:]:
            for statement in script.split(";\n"):
                if statement.strip():
                    connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(_VERSIONS)}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
