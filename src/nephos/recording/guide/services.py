"""Takes programmes in and gives their titles to what is booked and recorded at their time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from nephos.events import kinds, log
from nephos.lib import clock, errors
from nephos.library import naming
from nephos.library import services as library
from nephos.library.models import Channel
from nephos.recording.guide import titles
from nephos.recording.models import Booking, Programme

MOST_AT_ONCE = 2000
_KEPT = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A programme as it comes in."""

    starts_at: datetime
    ends_at: datetime
    title: str
    subtitle: str = ""


def take(*, channel: Channel, programmes: Sequence[Given], actor: str = "") -> int:
    """Replace what was known of the time that these cover; returns how many bookings got another title.

    Raises Invalid.
    """
    if len(programmes) > MOST_AT_ONCE:
        raise errors.Invalid(f"More than {MOST_AT_ONCE} programmes at once.")
    rows = [_row(channel, one) for one in programmes]
    if not rows:
        return 0
    first, last = min(row.starts_at for row in rows), max(row.ends_at for row in rows)
    with transaction.atomic():
        Programme.objects.filter(channel=channel, starts_at__lt=last, ends_at__gt=first).delete()
        Programme.objects.filter(ends_at__lt=clock.now() - _KEPT).delete()
        Programme.objects.bulk_create(rows, batch_size=200)
        changed = _retitle(channel, first, last)
        event = kinds.GuideTaken(subject=f"channel:{channel.pk}", channel=channel.name, programmes=len(rows))
        log.emit(event, actor=actor)
    return changed


def _row(channel: Channel, one: Given) -> Programme:
    if one.ends_at <= one.starts_at or one.starts_at.tzinfo is None or one.ends_at.tzinfo is None:
        raise errors.Invalid(f"{one.title[:60]!r} ends before it starts, or names no time zone.")
    return Programme(
        channel=channel,
        starts_at=one.starts_at,
        ends_at=one.ends_at,
        title=naming.foreign_title(one.title[:200]),
        subtitle=one.subtitle[:200],
    )


def _retitle(channel: Channel, first: datetime, last: datetime) -> int:
    rows = Booking.objects.filter(channel=channel, starts_at__lt=last, ends_at__gt=first)
    known = titles.Titles(channel, first, last)
    changed = 0
    for row in rows.select_related("schedule", "asset"):
        title = known.of(row.starts_at, row.ends_at)
        plain = row.schedule.name if row.schedule else channel.name
        if title is None or title == row.title or (row.schedule is None and row.title != plain):
            continue  # who ordered it by hand knows what it is
        Booking.objects.filter(pk=row.pk).update(title=title)
        if row.asset is not None and row.asset.title == row.title:
            library.retitle(asset=row.asset, title=title)
        changed += 1
    return changed
