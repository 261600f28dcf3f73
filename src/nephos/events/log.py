"""Write to the log and read from it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Max

from nephos.events import kinds
from nephos.events.models import Cursor, Event
from nephos.lib import text as texts

_LOG_LOCK = 7_364_501  # any number of our own, the same in every process


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the log."""

    id: int
    at: datetime
    kind: str
    level: str
    subject: str
    text: str
    data: dict[str, Any]
    actor: str
    uid: str = ""


def emit(event: kinds.Kind, *, actor: str = "", uid: str | None = None) -> None:
    """Append an event, in the caller's transaction if there is one. A `uid` seen before is skipped."""
    with transaction.atomic():
        _take_turn()
        if uid is not None and Event.objects.filter(uid=uid).exists():
            return
        Event.objects.create(
            kind=event.name,
            level=event.level,
            subject=event.subject,
            text=kinds.text(event),
            data=kinds.facts(event),
            actor=actor,
            uid=uid,
        )


def _take_turn() -> None:
    # On PostgreSQL ids can become visible out of order, and a reader of "id greater than my last" would skip one.
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOG_LOCK])


def latest() -> int:
    """Id of the newest event, 0 for an empty log."""
    return Event.objects.aggregate(newest=Max("id"))["newest"] or 0


def read(after: int = 0, *, limit: int = 100, subject: str = "", kind: str = "") -> list[Entry]:
    """Events after an id, oldest first."""
    rows = Event.objects.filter(id__gt=after).order_by("id")
    return [_entry(row) for row in _filtered(rows, subject, kind)[:limit]]


def recent(*, limit: int = 100, subject: str = "", kind: str = "") -> list[Entry]:
    """The last events, newest first."""
    rows = Event.objects.order_by("-id")
    return [_entry(row) for row in _filtered(rows, subject, kind)[:limit]]


def _filtered(rows: Any, subject: str, kind: str) -> Any:
    rows = rows.filter(subject=subject) if subject else rows
    return rows.filter(kind__startswith=texts.searched(kind)) if kind else rows


def unread(reader: str, *, limit: int = 100) -> list[Entry]:
    """Events that a reader has not ticked off."""
    cursor = Cursor.objects.filter(reader=reader).first()
    return read(cursor.position if cursor else 0, limit=limit)


def tick_off(reader: str, *, upto: int) -> None:
    """Remember that a reader has dealt with everything up to an id."""
    Cursor.objects.update_or_create(reader=reader, defaults={"position": upto})


def _entry(row: Event) -> Entry:
    return Entry(row.id, row.at, row.kind, row.level, row.subject, row.text, row.data, row.actor, row.uid or "")
