"""Removes segments that finished recordings hold, and nothing else.

A segment goes if every second of which it holds bytes lies in the window of a closed booking (or is its pre-roll), and
no open booking of the channel may still want it. What nobody can explain stays: a database that was restored from an
older copy knows fewer bookings than the disk.

A channel with a rolling buffer keeps so much of its past, explained or not, and what is older goes; but nothing from
before it had one. (After such a restore, what its rules recorded is booked again and joined before it rolls away.)
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from nephos.config.live import Live
from nephos.config.load import Loaded
from nephos.lib import clock
from nephos.library.models import Asset, Channel
from nephos.library.states import AssetState
from nephos.recording import cuts, eras, evidence, gaps, segments, space, states
from nephos.recording.models import Booking

logger = logging.getLogger(__name__)

_BEFORE = timedelta(seconds=2)  # besides the pre-roll: a second is noted from its start
_BEHIND = timedelta(seconds=5)  # the recorder may hear of a stop so much later
_REST = timedelta(seconds=10)  # so long after its end nobody writes to a segment any more
_LONGEST = timedelta(days=8)  # a booking's window
_CLOSED = (states.BookingState.RECORDED, states.BookingState.CANCELLED, states.BookingState.SKIPPED)


class Sweeper:
    """Tidies a channel's folder some time after one of its bookings was closed, and every folder at the start."""

    name = "sweeper"
    idle = timedelta(seconds=5)

    def __init__(self, loaded: Loaded) -> None:
        self._live = Live(loaded)
        self._since: datetime | None = None
        self._waiting: set[int] = set()

    def step(self) -> bool:
        """Tidy up where something was closed since the last time."""
        now = clock.now()
        loaded = self._live.current()
        if self._since is None:
            self._waiting = set(Channel.objects.values_list("pk", flat=True))
        else:
            closed = Booking.objects.filter(state__in=_CLOSED, state_at__gte=self._since, channel__isnull=False)
            self._waiting |= {pk for pk in closed.values_list("channel_id", flat=True) if pk is not None}
        self._since = now - timedelta(seconds=1)
        for channel in Channel.objects.filter(pk__in=self._waiting):
            if tidy(loaded, channel, now=now):
                self._waiting.discard(channel.pk)
        for channel in Channel.objects.filter(buffer_since__isnull=False):
            roll(loaded, channel, now=now)
        return False


def tidy(loaded: Loaded, channel: Channel, *, now: datetime) -> bool:
    """Remove what a channel's finished recordings hold; False if there is something to remove later."""
    place = segments.folder(loaded.home.recordings, channel.slug)
    found = segments.list_segments(place)
    _forget_links(place.parent, channel)
    _forget_journals(place)
    if not found:
        return True
    recording = loaded.settings.recording
    pre_roll = timedelta(seconds=recording.pre_roll_seconds) + _BEFORE
    length = timedelta(seconds=recording.segment_seconds)
    held = _open_windows(channel, pre_roll + length)
    if channel.buffer_seconds:
        held.append(gaps.Span(now - timedelta(seconds=channel.buffer_seconds) - _REST, now + length))
    closed = _closed_windows(channel, min(one.start for one in found), pre_roll)
    known = eras.read(loaded.home.recordings)
    is_done = True
    for segment in found:
        # What the clock said then, and what it would have said had it been as it is now: in doubt a segment stays.
        starts = (segment.start, segment.start + known.shift(of=segment.era, to=known.last))
        lasted = max(length, min(segment.written_at - segment.start, evidence.LONGEST_SEGMENT))  # it was set otherwise
        if any(start < one.end and start + lasted > one.start for one in held for start in starts):
            continue
        if starts[1] + lasted + _REST > now:
            is_done = False
        else:
            _remove_if_held(segment, closed, channel)
    return is_done


def roll(loaded: Loaded, channel: Channel, *, now: datetime) -> None:
    """Remove what has left a channel's rolling buffer and no open booking wants."""
    recording = loaded.settings.recording
    length = timedelta(seconds=recording.segment_seconds)
    kept_seconds = channel.buffer_seconds if space.has_room_for_buffers(loaded) else 0
    limit = now - timedelta(seconds=kept_seconds) - length - _REST
    place = segments.folder(loaded.home.recordings, channel.slug)
    since = channel.buffer_since
    old = _between(place, eras.read(loaded.home.recordings), since, limit) if since is not None else []
    if not old:
        return
    held = _open_windows(channel, timedelta(seconds=recording.pre_roll_seconds) + _BEFORE + length)
    for segment in old:
        end = max(segment.start + length, min(segment.written_at, segment.start + evidence.LONGEST_SEGMENT))
        if not any(segment.start < one.end and end > one.start for one in held):
            _remove(segment, why="A segment has left the rolling buffer and was removed")


def _between(place: Path, known: eras.Eras, since: datetime, limit: datetime) -> list[segments.Segment]:
    """The segments that were begun between two moments of the clock as it is now."""
    if not known.steps:
        return [one for one in segments.list_segments(place, after=since, before=limit) if since <= one.start < limit]
    found = segments.list_segments(place)
    return [one for one in found if since <= one.start + known.shift(of=one.era, to=known.last) < limit]


def _open_windows(channel: Channel, margin: timedelta) -> list[gaps.Span]:
    rows = Booking.objects.filter(channel=channel, state__in=states.OPEN).values_list("from_at", "to_at")
    return [gaps.Span(start - margin, end + margin) for start, end in rows]


def _closed_windows(channel: Channel, since: datetime, pre_roll: timedelta) -> list[gaps.Span]:
    rows = Booking.objects.filter(channel=channel, state__in=_CLOSED, from_at__gt=since - _LONGEST)
    windows = [
        gaps.Span(start - pre_roll, end + _BEHIND)
        for start, end in rows.order_by("from_at").values_list("from_at", "to_at")
        if end + _BEHIND > since
    ]
    merged: list[gaps.Span] = []
    for window in windows:
        if merged and window.start <= merged[-1].end:
            merged[-1] = gaps.Span(merged[-1].start, max(merged[-1].end, window.end))
        else:
            merged.append(window)
    return merged


def _remove_if_held(segment: segments.Segment, closed: Sequence[gaps.Span], channel: Channel) -> None:
    source = evidence.read(segment)
    if source is None or not _is_over(source, closed) or _grew_late(source, channel):
        return
    _remove(segment, why="A segment is in finished recordings and was removed")


def _remove(segment: segments.Segment, *, why: str) -> None:
    # The stream first: a journal without a segment means nothing, a segment without a journal is a riddle.
    segment.path.unlink(missing_ok=True)
    segment.journal.unlink(missing_ok=True)
    logger.debug(why, extra={"segment": str(segment.path)})


def _grew_late(source: cuts.Source, channel: Channel) -> bool:
    """Whether a recorder that seemed dead wrote on after every booking that it could be for was closed."""
    near = Booking.objects.filter(
        channel=channel,
        state__in=_CLOSED,
        from_at__lt=source.written_at + _REST,
        to_at__gt=source.segment.start - _REST,
    )
    return not near.filter(state_at__gte=source.written_at).exists()


def _is_over(source: cuts.Source, closed: Sequence[gaps.Span]) -> bool:
    """Whether all of it was for bookings that are closed. Who it was for stands in it, if the clock was set or not."""
    named = {booking for one in source.journal.seconds for booking in one.bookings}
    if Booking.objects.filter(pk__in=named, state__in=states.OPEN).exists():
        return False
    are_all_named = all(one.bookings for one in source.journal.seconds if one.bytes)
    if named and are_all_named and Booking.objects.filter(pk__in=named, state__in=_CLOSED).count() == len(named):
        return True
    return _is_explained(source, closed)


def _is_explained(source: cuts.Source, closed: Sequence[gaps.Span]) -> bool:
    lines = [gaps.Span(one.utc, one.utc) for one in source.journal.seconds]
    spans = cuts.heard(source) or lines or [gaps.Span(source.segment.start, source.segment.start)]
    return all(any(window.start <= span.start and span.end <= window.end for window in closed) for span in spans)


def _forget_journals(place: Path) -> None:
    """Journals of segments that are gone: a kill came between the two. (The recorder makes the segment first.)"""
    for journal in place.glob("*.jsonl"):
        segment = journal.with_suffix(".ts")
        if segments.start_of(segment) is not None and not segment.exists():
            journal.unlink(missing_ok=True)


def _forget_links(folder: Path, channel: Channel) -> None:
    """Hidden names whose recording is known to the library: a kill came between the two."""
    for hidden in [*folder.glob(".*.ts.partial"), *folder.glob(".*.manifest.partial")]:
        stem = hidden.name[1:].removesuffix(".ts.partial").removesuffix(".manifest.partial")
        asset = Asset.objects.filter(folder=f"{channel.slug}/{stem}").first()
        if asset is not None and asset.state != AssetState.ARRIVING:
            hidden.unlink(missing_ok=True)
