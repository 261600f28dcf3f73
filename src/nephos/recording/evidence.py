"""Looks at the disk and at the recorder's heartbeat: what was received, and whether more may come.

Where the wall clock was set, a window is told in the time of the era in which its booking was begun, and everything
received before and after is told in that time too: so it lasts as long as it lasted, and nothing comes twice.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from nephos.lib import clock, heartbeats
from nephos.recording import cuts, eras, gaps, handover, retiming, segments

LONGEST_SEGMENT = timedelta(hours=1)
_DEAD_AFTER = timedelta(seconds=10)
_UNHEARD = timedelta(seconds=2)  # a step is noticed up to a second late, and so is a new booking


def collect(
    folder: Path,
    window: gaps.Span,
    *,
    booking: int | None = None,
    begun: datetime | None = None,
    longest: timedelta = LONGEST_SEGMENT,
) -> list[cuts.Source]:
    """The segments that may hold something of a window, in the order they were received, told in the window's time.

    None is longer than `longest`. Of a window that was not received for this booking (a rolling buffer), the clock as
    it is now is the one that counts. `begun` is the booking's start where only a later part of it is asked for.
    """
    known = eras.read(folder.parents[1])
    era = _era_of(folder, gaps.Span(begun or window.start, window.end), booking, known)
    found: list[cuts.Source] = []
    for number in known.numbers:
        shift = known.shift(of=number, to=era)
        own = gaps.Span(window.start - shift, window.end - shift)
        if known.has(number, own.start - longest, own.end):
            found += [retiming.shifted(source, shift) for source in _near(folder, own, number, longest)]
    return retiming.in_order(found)


def steps(folder: Path, window: gaps.Span, *, booking: int | None = None) -> list[cuts.Step]:
    """When in a window the wall clock was set, in the window's time."""
    known = eras.read(folder.parents[1])
    era = _era_of(folder, window, booking, known)
    told = [cuts.Step(one.before + known.shift(of=one.era - 1, to=era), one.before, one.after) for one in known.steps]
    return [one for one in told if window.start <= one.at < window.end]


def _era_of(folder: Path, window: gaps.Span, booking: int | None, known: eras.Eras) -> int:
    """The first one in which the recorder listened for the booking, else the last one."""
    opened = known.opened(booking, window.start, window.end) if booking is not None else None
    if opened is not None:
        return opened
    for number in known.touching(window.start, window.end):
        if booking is None or number == known.last:
            break
        near = _near(folder, window, number, LONGEST_SEGMENT)
        if any(booking in second.bookings for source in near for second in source.journal.seconds):
            return number
    return known.last


def _near(folder: Path, window: gaps.Span, era: int, longest: timedelta) -> list[cuts.Source]:
    return [
        source
        for segment in segments.list_segments(folder, after=window.start - longest, before=window.end)
        if segment.era == era
        and window.start - longest < segment.start < window.end
        and (source := read(segment)) is not None
    ]


def read(segment: segments.Segment) -> cuts.Source | None:
    """A segment with its journal, None if it is gone."""
    try:
        written_at = datetime.fromtimestamp(segment.path.stat().st_mtime, UTC)
    except FileNotFoundError:
        return None
    return cuts.Source(segment, segments.read_journal(segment.journal), written_at)


def has_begun(
    folder: Path, window: gaps.Span, *, booking: int | None = None, longest: timedelta = LONGEST_SEGMENT
) -> bool:
    """Whether the recorder listens, or listened, in this window."""
    return any(cuts.touches(source, window) for source in collect(folder, window, booking=booking, longest=longest))


class Recorder:
    """The recorder as its heartbeat shows it. It is dead if the beat stands still on our own monotonic clock."""

    def __init__(self, run: Path) -> None:
        self._run = run
        self._beat: dict[str, Any] = {}
        self._changed_mono = clock.monotonic()

    def look(self) -> None:
        """Read the heartbeat again."""
        beat = heartbeats.read(self._run, "recorder") or {}
        if beat != self._beat:
            self._beat = beat
            self._changed_mono = clock.monotonic()

    def is_done_with(self, booking: int, *, end: datetime) -> bool:
        """Whether nothing more of a booking will come: the recorder said so after its end, or it is dead."""
        if not self._beat or self._beat.get("state") == "stopped" or self._is_dead():
            return True
        beat_at = _moment(self._beat.get("beat_at"))
        if beat_at is None or booking in self.bookings:
            return False
        return beat_at > end or self.has_ended(booking, end=end)

    def has_ended(self, booking: int, *, end: datetime) -> bool:
        """Whether its window was received to this end, though the wall clock, set back meanwhile, says otherwise."""
        left = handover.of_beat(self._beat)
        ended = left.done.get(booking) if left is not None else None
        return ended is not None and ended >= end

    def why_missed(self, window: gaps.Span, known: eras.Eras) -> str:
        """Why nothing at all was received of a window."""
        if not self._beat:
            return "The recorder has never run."
        skipped = next(
            (one for one in known.steps if one.before <= window.start + _UNHEARD and window.end <= one.after), None
        )
        if skipped is not None:
            return (
                f"The clock was set over it, from {skipped.before:%Y-%m-%d %H:%M:%S} "
                f"to {skipped.after:%Y-%m-%d %H:%M:%S} UTC."
            )
        end = window.end
        started_at = _moment(self._beat.get("started_at"))
        if started_at is not None and started_at > end:
            return "The station was not running at that time."
        return "The recorder did not listen at that time."

    def _is_dead(self) -> bool:
        return clock.monotonic() - self._changed_mono > _DEAD_AFTER.total_seconds()

    @property
    def bookings(self) -> set[int]:
        """Those that it receives."""
        details = self._beat.get("details")
        receivers = details.get("receivers") if isinstance(details, dict) else None
        return {
            booking
            for receiver in (receivers if isinstance(receivers, list) else [])
            if isinstance(receiver, dict)
            for booking in receiver.get("bookings") or []
        }


def _moment(text: object) -> datetime | None:
    try:
        return clock.parse(text) if isinstance(text, str) else None
    except ValueError:
        return None
