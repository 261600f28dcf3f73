"""What the programme guide calls an airing."""

from __future__ import annotations

from datetime import datetime

from nephos.library.models import Channel
from nephos.recording.guide import matching
from nephos.recording.models import Programme


class Titles:
    """The programmes of one channel between two moments, read at once."""

    def __init__(self, channel: Channel, first: datetime, last: datetime) -> None:
        rows = Programme.objects.filter(channel=channel, starts_at__lt=last, ends_at__gt=first)
        self._slots = [matching.Slot(*row) for row in rows.values_list("starts_at", "ends_at", "title")]

    def of(self, start: datetime, end: datetime) -> str | None:
        """The title of what airs then, None if nobody knows."""
        near = [slot for slot in self._slots if slot.start < end and slot.end > start]
        return matching.title(near, start, end)
