"""What probes found out about destinations, kept so that each place is asked once."""

from __future__ import annotations

import dataclasses
import json
import sqlite3

from nephos.lib import clock
from nephos.sync.connections.base import Profile


def get(db: sqlite3.Connection, *, destination: str, place: str) -> Profile | None:
    """The profile of a destination, None if it was never probed or is elsewhere now."""
    row = db.execute("SELECT identity, body FROM profiles WHERE destination = ?", (destination,)).fetchone()
    if row is None or row["identity"] != place:
        return None
    return Profile(**json.loads(row["body"]))


def put(db: sqlite3.Connection, *, destination: str, place: str, profile: Profile) -> None:
    """Keep what a probe said."""
    db.execute(
        "INSERT OR REPLACE INTO profiles (destination, identity, body, probed_at) VALUES (?, ?, ?, ?)",
        (destination, place, json.dumps(dataclasses.asdict(profile)), clock.stamp(clock.now())),
    )
