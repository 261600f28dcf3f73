"""One station per database: two keepers on one PostgreSQL would plan and finish everything twice.

On SQLite the lock of the home folder is enough, for the database lies in it.
"""

from __future__ import annotations

from datetime import timedelta

from django.db import connection

from nephos.lib import clock, errors, ports

_STATION_LOCK = 7_364_500  # any number of our own, the same in every station


def hold(*, wait: timedelta = timedelta(seconds=10)) -> None:
    """Take the database for this process; it lets go when its connection ends.

    Waits for a predecessor that is dying. Raises AlreadyRunning if another station stays.
    """
    if connection.vendor != "postgresql":
        return
    deadline = clock.monotonic() + wait.total_seconds()
    while not _try():
        if clock.monotonic() > deadline:
            raise errors.AlreadyRunning(
                "Another station uses this database.", hint="Give each station a database of its own."
            )
        ports.pause(0.2)


def is_free() -> bool:
    """Whether no station holds the database now."""
    if connection.vendor != "postgresql":
        return True
    if not _try():
        return False
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock(%s)", [_STATION_LOCK])
    return True


def _try() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_STATION_LOCK])
        return bool(cursor.fetchone()[0])
