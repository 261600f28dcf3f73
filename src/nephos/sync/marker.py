"""A small hidden file in the root of a mirrored folder: without it the folder may be an empty mount point."""

from __future__ import annotations

import os
from pathlib import Path

from nephos.lib import ids
from nephos.sync.journal import Journal

NAME = ".nephos-watch"


def is_there(root: bytes, *, watch: str, journal: Journal) -> bool:
    """Whether the folder carries the marker that was put there; the first time it is put there."""
    place = Path(os.fsdecode(root)) / NAME
    known = journal.commit(lambda db: db.execute("SELECT marker FROM markers WHERE watch = ?", (watch,)).fetchone())
    try:
        if known is not None:
            return place.read_text().strip() == str(known["marker"])
        fresh = ids.new()
        place.write_text(fresh + "\n")
    except (OSError, UnicodeDecodeError):
        return False
    journal.commit(lambda db: db.execute("INSERT OR REPLACE INTO markers VALUES (?, ?)", (watch, fresh)))
    return True
