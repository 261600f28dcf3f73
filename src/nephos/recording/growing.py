"""Recordings that are put together while they are on the air, so that they can be delivered behind the recorder.

The file is the one that the finaliser joins into, under its hidden name: it only ever grows by seconds that are
whole, and the same bytes are written again after a restart. What the finaliser finds to be as it would have joined it
need not be joined again; if a cut turns out otherwise it writes the file anew, and who sent the beginning sees that.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from nephos.config import schema
from nephos.config.live import Live
from nephos.config.load import Loaded
from nephos.events import kinds, log
from nephos.lib import clock, files
from nephos.library import services as library
from nephos.recording import cuts, evidence, gaps, join, segments, space, states
from nephos.recording.models import Booking

logger = logging.getLogger(__name__)

_SECOND = timedelta(seconds=1)
_BEHIND = timedelta(seconds=30)  # so long after its end a recording may still be waiting for its last second


class Growth:
    """One recording's file, and which bytes of which segments are in it."""

    def __init__(self, place: join.Place, window: gaps.Span) -> None:
        self.place = place
        self.window = window
        self.parts: list[cuts.Part] = []
        self.known_to = window.start
        self.is_broken = False
        self.sums = join.Sums()
        self._handle = -1

    @property
    def bytes(self) -> int:
        return sum(part.length for part in self.parts)

    def extend(self, parts: Sequence[cuts.Part]) -> bool:
        """Append what is new in these; True if there was any. Raises OSError."""
        before = self.bytes
        for part in parts:
            self._take(part)
        return self.bytes > before

    def agrees_with(self, parts: Sequence[cuts.Part]) -> bool:
        """Whether what is in the file is the beginning of these."""
        mine, theirs = self.parts, list(parts[: len(self.parts)])
        if not mine or self.is_broken or len(theirs) < len(mine) or mine[:-1] != theirs[:-1]:
            return False
        last, whole = mine[-1], theirs[-1]
        return (last.path, last.start) == (whole.path, whole.start) and last.length <= whole.length

    def close(self) -> None:
        """Write no more."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def _take(self, part: cuts.Part) -> None:
        known = next((one for one in self.parts if one.path == part.path), None)
        if known == part or self.is_broken:
            return
        if known is None:
            known = cuts.Part(part.path, part.start, 0)
            self.parts.append(known)
            self.sums.begin_part()
        if known is not self.parts[-1] or known.start != part.start or part.length < known.length:
            self.is_broken = True  # what was taken for whole was not: it is joined anew at the end
            return
        start, length = known.start + known.length, part.length - known.length
        copied = files.append_range(part.path, self._open(), start=start, length=length)
        self.parts[-1] = cuts.Part(part.path, part.start, known.length + copied)
        self.sums.add(self.place.partial, copied)
        self.is_broken = copied < length

    def _open(self) -> int:
        if self._handle < 0:
            # Not emptied: after a restart the same bytes are written over themselves, and who reads them sees no hole.
            flags = os.O_WRONLY | os.O_CREAT | getattr(os, "O_BINARY", 0)
            self._handle = os.open(self.place.partial, flags, 0o644)
        return self._handle


class Growing:
    """The loop, and the one who knows what of a recording is there already."""

    name = "growing recordings"
    idle = timedelta(seconds=0.5)

    def __init__(self, loaded: Loaded) -> None:
        self._live = Live(loaded)
        self._growths: dict[int, Growth] = {}
        self._over: set[int] = set()
        self._lock = threading.Lock()

    def step(self) -> bool:
        """Append what every recording that is wanted early has got since the last look."""
        loaded = self._live.current()
        running = Booking.objects.filter(
            state=states.BookingState.RECORDING, asset__isnull=False, channel__isnull=False
        )
        bookings = list(running.select_related("channel", "asset")) if is_wanted(loaded.settings) else []
        with self._lock:
            self._forget({booking.pk for booking in bookings})
            for booking in bookings:
                if booking.pk not in self._over and booking.to_at > clock.now() - _BEHIND:
                    self._look_at(loaded, booking)
        return False

    def take(self, booking: int, parts: Sequence[cuts.Part]) -> join.Sums | None:
        """The finaliser takes over: what of these parts is in the file already, surely; None if nothing is."""
        with self._lock:
            self._over.add(booking)
            growth = self._growths.pop(booking, None)
            if growth is None:
                return None
            growth.close()
            return growth.sums if growth.agrees_with(parts) else None

    def close(self) -> None:
        """The role ends."""
        with self._lock:
            self._forget(set())

    def _forget(self, running: set[int]) -> None:
        for pk in [pk for pk in self._growths if pk not in running]:
            self._growths.pop(pk).close()
        self._over &= running

    def _look_at(self, loaded: Loaded, booking: Booking) -> None:
        assert booking.asset is not None  # noqa: S101 - the query says so
        assert booking.channel is not None  # noqa: S101
        window = gaps.Span(booking.from_at, booking.to_at)
        growth = self._growths.get(booking.pk)
        if growth is None:
            place = join.Place(loaded.home.recordings / booking.channel.slug, booking.asset.stem)
            growth = self._growths[booking.pk] = Growth(place, window)
        growth.window = window  # it may have been extended
        is_ending = growth.place.ledger.exists() or join.read_seal(growth.place) is not None
        if growth.is_broken or is_ending or not _has_room(loaded, growth):
            return
        begins = not growth.parts
        try:
            if growth.extend(_whole_seconds(loaded, booking, growth)) and begins:
                self._tell(booking, growth.place.partial, loaded)
        except OSError as error:
            growth.is_broken = True
            logger.warning("A recording is not put together early", extra={"booking": booking.pk, "why": str(error)})

    def _tell(self, booking: Booking, partial: Path, loaded: Loaded) -> None:
        asset = booking.asset
        assert asset is not None  # noqa: S101
        rate = booking.channel.bits_per_second if booking.channel else 0
        expected = (rate or loaded.settings.recording.assumed_bits_per_second) / 8
        seconds = (booking.to_at - booking.from_at).total_seconds()
        event = kinds.AssetGrowing(
            subject=library.subject(asset), title=asset.title, path=str(partial), expected_bytes=int(expected * seconds)
        )
        log.emit(event, uid=f"asset-growing:{asset.pk}")


def is_wanted(settings: schema.Settings) -> bool:
    """Whether any watch delivers recordings while they are on the air."""
    return any(watch.enabled and watch.sets and watch.grow for watch in settings.watch.values())


def _has_room(loaded: Loaded, growth: Growth) -> bool:
    """A second copy never costs a recording its space: below the soft floor it is given up."""
    if space.free_bytes(loaded) >= loaded.settings.recording.soft_floor_bytes:
        return True
    growth.is_broken = True
    growth.close()
    growth.place.partial.unlink(missing_ok=True)
    return False


def _whole_seconds(loaded: Loaded, booking: Booking, growth: Growth) -> tuple[cuts.Part, ...]:
    """What is received since the segment in which the file ends, up to the last second that is written down."""
    assert booking.channel is not None  # noqa: S101
    folder = segments.folder(loaded.home.recordings, booking.channel.slug)
    length = timedelta(seconds=loaded.settings.recording.segment_seconds)
    longest = 2 * length if growth.parts else evidence.LONGEST_SEGMENT
    new, begun = gaps.Span(growth.known_to, growth.window.end), growth.window.start
    found = evidence.collect(folder, new, booking=booking.pk, begun=begun, longest=longest)
    while found and not found[-1].journal.seconds:
        found.pop()
    if not found:
        return ()
    growth.known_to = max(growth.known_to, max(second.utc for second in found[-1].journal.seconds) + _SECOND)
    return cuts.cut(found, gaps.Span(growth.window.start, min(growth.window.end, growth.known_to))).parts
