"""Bookings whose time passed while nobody listened: several of them are told together, also those of the time off."""

from __future__ import annotations

import logging

from django.db import transaction

from nephos.events import kinds, log
from nephos.lib import text

logger = logging.getLogger(__name__)

READER = "missed"
_AT_ONCE = 500
_NAMED = 5


def check(*, tells: bool) -> bool:
    """Tell of those that were missed since the last look, in one event; true if there are more.

    Without `tells` they are passed over.
    """
    entries = log.unread(READER, limit=_AT_ONCE)
    if not entries:
        return False
    missed = [entry for entry in entries if entry.kind == kinds.BookingMissed.name]
    with transaction.atomic():
        if missed and tells:
            told = summary(missed)
            log.emit(told, uid=f"missed:{missed[0].id}")
            logger.warning("Bookings were missed", extra={"number": told.number, "titles": told.titles})
        log.tick_off(READER, upto=entries[-1].id)
    return len(entries) == _AT_ONCE


def summary(missed: list[log.Entry]) -> kinds.BookingsMissed:
    """One event for all of them, with their reasons."""
    titles = [f"{entry.data['title']} of {entry.data['starts_at']}" for entry in missed[:_NAMED]]
    more = [f"and {len(missed) - _NAMED} more"] if len(missed) > _NAMED else []
    return kinds.BookingsMissed(
        subject="station",
        number=text.count(len(missed), "booking"),
        titles=", ".join([*titles, *more]),
        bookings=[
            {
                "booking": entry.subject,
                "title": entry.data["title"],
                "starts_at": entry.data["starts_at"],
                "reason": entry.data["reason"],
            }
            for entry in missed
        ],
    )
