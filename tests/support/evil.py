"""Names of files that attack shells, SQL, terminals, spreadsheets and web pages, in rows of the sync journal."""

from __future__ import annotations

import os
import sqlite3

from nephos.config.home import Home
from nephos.sync import errors, fingerprints, journal, names, paths

RAW = (
    b"; rm -rf $HOME",
    b"$(touch /tmp/x)`id`",
    b"'; DROP TABLE paths; --",
    b"<script>alert(1)</script>",
    b'" onmouseover="alert(1)',
    b"\x1b]0;owned\x07\x1b[2J",
    b"\xc2\x9b31m",  # the same in one byte, for terminals that know it
    b"a\rb\nc",
    "\u202egpj.exe".encode(),  # turns the reading round
    b"\xff\xfe no text",
    b"--help",
    b"=HYPERLINK(1)",
    b"[bold]{{ 7*7 }}%s%n",
)


def fill(home: Home) -> dict[int, str]:
    """Each name is held with a cause that names it too; shown names by the ids of their transfers."""
    notes = journal.Journal(home.sync_database)
    try:
        return notes.commit(_rows)
    finally:
        notes.close()


def _rows(db: sqlite3.Connection) -> dict[int, str]:
    found = {}
    for number, raw in enumerate(RAW):
        version = fingerprints.Fingerprint(number, number, number)
        row = paths.observe(db, paths.Sight("inbox", "there", raw, b"/inbox/" + raw, version))
        paths.settle(db, row)
        ready = paths.get(db, row.id)
        assert ready is not None
        paths.hold(db, ready, errors.Refused(f"The destination refuses {os.fsdecode(raw)!a}: {names.shown(raw)}."))
        found[row.id] = names.shown(raw)
    return found
