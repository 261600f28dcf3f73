"""Removes segments that finished recordings hold, and nothing else.

A segment goes if every second of which it holds bytes lies in the window of a closed booking (or is its pre-roll), and
no open booking of the channel may still want it. What nobody can explain stays: a database that was restored from an
older copy knows fewer bookings than the disk.

A channel with a rolling buffer keeps so much of its past, explained or not, and what is older goes; but nothing from
before it had one. (After such a restore, what its rules recorded is booked again and joined before it rolls away.)
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
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
_LONG_REST = timedelta(minutes=1)  # before its recording is in the library: a recorder may hang and write on
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
        if _is_held(segment, held, known, length):
            continue
        if _ends(segment, known, length) + _REST > now:
            is_done = False
        else:
            _remove_if_held(segment, closed, channel)
    return is_done


def spare(loaded: Loaded, booking: int, *, now: datetime) -> Callable[[Path], bool]:
    """Which segments nobody needs but this booking, whose time is over."""
    row = Booking.objects.select_related("channel").get(pk=booking)
    assert row.channel is not None  # noqa: S101 - an open booking protects its channel
    recording = loaded.settings.recording
    pre_roll = timedelta(seconds=recording.pre_roll_seconds) + _BEFORE
    length = timedelta(seconds=recording.segment_seconds)
    held = _open_windows(row.channel, pre_roll + length, besides=booking)
    if row.channel.buffer_seconds:
        held.append(gaps.Span(now - timedelta(seconds=row.channel.buffer_seconds) - _REST, now + length))
    place = segments.folder(loaded.home.recordings, row.channel.slug)
    found = {one.path: one for one in segments.list_segments(place)}
    own = gaps.Span(row.from_at - pre_roll, row.to_at + _BEHIND)
    since = min((one.start for one in found.values()), default=now)
    closed = _merged([*_closed_windows(row.channel, since, pre_roll), own])
    known = eras.read(loaded.home.recordings)

    def may_go(path: Path) -> bool:
        segment = found.get(path)
        if segment is None or not path.exists() or _is_held(segment, held, known, length):
            return False
        if _ends(segment, known, length) + _LONG_REST > now:
            return False
        source = evidence.read(segment)
        return source is not None and _is_over(source, closed, besides=booking)

    return may_go


def _is_held(segment: segments.Segment, held: Sequence[gaps.Span], known: eras.Eras, length: timedelta) -> bool:
    """Whether it lies in one of these windows by what the clock said then, or would have said as it is now."""
    lasted = _lasted(segment, length)
    starts = (segment.start, segment.start + known.shift(of=segment.era, to=known.last))
    return any(start < one.end and start + lasted > one.start for one in held for start in starts)


def _ends(segment: segments.Segment, known: eras.Eras, length: timedelta) -> datetime:
    return segment.start + known.shift(of=segment.era, to=known.last) + _lasted(segment, length)


def _lasted(segment: segments.Segment, length: timedelta) -> timedelta:
    """Segments may have been longer when this one was written."""
    return max(length, min(segment.written_at - segment.start, evidence.LONGEST_SEGMENT))


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


def _open_windows(channel: Channel, margin: timedelta, *, besides: int | None = None) -> list[gaps.Span]:
    rows = Booking.objects.filter(channel=channel, state__in=states.OPEN)
    if besides is not None:
        rows = rows.exclude(pk=besides)
    return [gaps.Span(start - margin, end + margin) for start, end in rows.values_list("from_at", "to_at")]


def _closed_windows(channel: Channel, since: datetime, pre_roll: timedelta) -> list[gaps.Span]:
    rows = Booking.objects.filter(channel=channel, state__in=_CLOSED, from_at__gt=since - _LONGEST)
    windows = [
        gaps.Span(start - pre_roll, end + _BEHIND)
        for start, end in rows.order_by("from_at").values_list("from_at", "to_at")
        if end + _BEHIND > since
    ]
    return _merged(windows)


def _merged(windows: Sequence[gaps.Span]) -> list[gaps.Span]:
    merged: list[gaps.Span] = []
    for window in sorted(windows, key=lambda one: one.start):
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


def _is_over(source: cuts.Source, closed: Sequence[gaps.Span], *, besides: int | None = None) -> bool:
    """Whether all of it was for bookings that are closed. Who it was for stands in it, if the clock was set or not."""
    named = {booking for one in source.journal.seconds for booking in one.bookings} - {besides}
    if Booking.objects.filter(pk__in=named, state__in=states.OPEN).exists():
        return False
    heard = [one for one in source.journal.seconds if one.bytes]
    are_all_named = bool(heard) and all(one.bookings for one in heard)
    if are_all_named and Booking.objects.filter(pk__in=named, state__in=_CLOSED).count() == len(named):
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
    for hidden in folder.glob(".*.partial"):
        stem = hidden.name[1:].removesuffix(".partial").rsplit(".", 1)[0]
        asset = Asset.objects.filter(folder=f"{channel.slug}/{stem}").first()
        if asset is not None and asset.state != AssetState.ARRIVING:
            hidden.unlink(missing_ok=True)
