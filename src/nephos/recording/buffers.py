"""Rolling buffers: how far back a channel can still be recorded."""

from __future__ import annotations

from datetime import datetime, timedelta

from nephos.core import bootstrap
from nephos.library.models import Channel
from nephos.recording import evidence, gaps, segments


def since(channel: Channel, now: datetime) -> datetime:
    """The earliest moment that the buffer of a channel may hold; now if it has none."""
    earliest = now - timedelta(seconds=channel.buffer_seconds)
    return max(earliest, channel.buffer_since or now)


def holds(channel: Channel, window: gaps.Span) -> bool:
    """Whether anything of a window is on disk."""
    folder = segments.folder(bootstrap.loaded().home.recordings, channel.slug)
    return evidence.has_begun(folder, window)
