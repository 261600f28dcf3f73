"""The keeper's side of recording: schedules become bookings, bookings become the plan that the recorder obeys."""

from __future__ import annotations

import logging
from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Min, Q

from nephos.config.live import Live
from nephos.config.load import Loaded
from nephos.core import errors as core_errors
from nephos.core.loops import Loop
from nephos.events import kinds, log, moves
from nephos.lib import clock, files
from nephos.library.models import Channel
from nephos.recording import (
    admission,
    agenda,
    eras,
    evidence,
    finaliser,
    gaps,
    plan,
    segments,
    services,
    space,
    states,
    zones,
)
from nephos.recording.models import Booking, Schedule

logger = logging.getLogger(__name__)

LOOK_AHEAD = timedelta(hours=48)
_STAYS = timedelta(seconds=10)  # a window stays in the plan so long after its end: the recorder ends it by itself
_OVER = timedelta(seconds=2)
_FILL_SECONDS = 60.0
_PLAN_SECONDS = 1.0
_STEP = timedelta(seconds=5)
_REST = timedelta(seconds=5)
_MATTERS = ("channel.", "schedule.", "station.", "settings.")
_MOST_EVENTS = 500


def loops(loaded: Loaded) -> list[Loop]:
    """The loops that plan, and that see what the recorder does."""
    return [Planner(loaded), Arrivals(loaded), admission.Guard(loaded)]


class Planner:
    """Keeps bookings and the plan file up to date. Wakes often, works only if something changed."""

    name = "bookings"
    idle = timedelta(seconds=0.25)
    rest = _REST

    def __init__(self, loaded: Loaded) -> None:
        self._live = Live(loaded)
        self._event = -1
        self._fill_mono = self._plan_mono = clock.monotonic()
        self._last: tuple[datetime, float] | None = None

    def step(self) -> bool:
        """Book what is due to be booked, write the plan if its content changed."""
        now, mono = clock.now(), clock.monotonic()
        news = self._news()
        fills = self._stepped(now, mono) or self._concerns_us(news) or mono >= self._fill_mono
        if fills:
            self._fill_mono = mono + _FILL_SECONDS
            fill_all(self._live.current(), now=now)
        if fills or news or mono >= self._plan_mono:
            self._plan_mono = mono + _PLAN_SECONDS
            write_plan(self._live.current(), now=now)
        return False

    def _news(self) -> list[log.Entry] | None:
        """Events since the last look; None the first time, or if they are too many to read."""
        latest = log.latest()
        since, self._event = self._event, latest
        if since == latest:
            return []
        return log.read(since, limit=_MOST_EVENTS) if since >= 0 and latest - since < _MOST_EVENTS else None

    def _concerns_us(self, news: list[log.Entry] | None) -> bool:
        return news is None or any(entry.kind.startswith(_MATTERS) for entry in news)

    def _stepped(self, now: datetime, mono: float) -> bool:
        before, self._last = self._last, (now, mono)
        if before is None:
            return False
        drift = (now - before[0]) - timedelta(seconds=mono - before[1])
        if abs(drift) < _STEP:
            return False
        logger.warning("The wall clock stepped, bookings are planned again", extra={"seconds": drift.total_seconds()})
        return True


def fill_all(loaded: Loaded, *, now: datetime) -> None:
    """Make the bookings of all schedules agree with their rules."""
    agenda.revive(now=now)
    zone = zones.of_station(loaded)
    for schedule in Schedule.objects.select_related("channel"):
        agenda.fill(schedule, now=now, station_zone=zone)


def write_plan(loaded: Loaded, *, now: datetime) -> bool:
    """Replace the plan file if what it says changed; True if it did."""
    fresh = build_plan(loaded, now=now)
    document = plan.document(fresh)
    current = files.read_json(loaded.home.plan_file)
    if isinstance(current, dict) and _content(current) == _content(document):
        return False
    plan.write(loaded.home.plan_file, fresh)
    return True


def build_plan(loaded: Loaded, *, now: datetime) -> plan.Plan:
    """What is to be received in the next 48 hours, with what is being received."""
    recorder = evidence.Recorder(loaded.home.run)
    recorder.look()
    # What is being received stays in, though a clock that was set forward may say that it is over.
    is_near = Q(from_at__lt=now + LOOK_AHEAD, to_at__gt=now - _STAYS) | Q(pk__in=recorder.bookings)
    open_bookings = Booking.objects.filter(is_near, state__in=states.OPEN, channel__isnull=False)
    windows: dict[Any, list[plan.Window]] = defaultdict(list)
    wanted = list(open_bookings.select_related("channel", "schedule").order_by("channel__slug", "from_at", "pk"))
    held_back = space.held_back(loaded, wanted)
    for booking in wanted:
        if booking.pk not in held_back:
            windows[booking.channel].append(plan.Window(booking.pk, booking.from_at, booking.to_at))
    buffered = Channel.objects.filter(buffer_seconds__gt=0).order_by("slug")
    has_room = buffered.exists() and space.has_room_for_buffers(loaded)
    for channel in buffered if has_room else ():
        windows.setdefault(channel, [])
    interface = loaded.settings.recording.interface
    return plan.Plan(
        made_at=now,
        channels=tuple(
            plan.Channel(
                slug=channel.slug,
                name=channel.name,
                url=channel.address,
                interface=interface,
                windows=tuple(found),
                buffer_seconds=channel.buffer_seconds if has_room else 0,
            )
            for channel, found in windows.items()
        ),
    )


def _content(document: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key != "made_at"}


class Arrivals:
    """Sees on the disk that a booking has begun, or that its time passed and nobody listened."""

    name = "arrivals"
    idle = timedelta(seconds=0.5)

    def __init__(self, loaded: Loaded) -> None:
        self.rest = self.idle
        self._live = Live(loaded)
        self._longest = timedelta(0)  # of the segments, since this process began
        self._recorder = evidence.Recorder(loaded.home.run)

    def step(self) -> bool:
        """Look after every planned booking whose window has begun."""
        now = clock.now()
        due = Booking.objects.filter(state=states.BookingState.PLANNED, from_at__lte=now, channel__isnull=False)
        self._recorder.look()
        waiting = list(due.select_related("channel", "schedule"))
        # What they wait for is on the disk, where no doorbell rings.
        self.rest = self.idle if waiting else _until_next(now)
        loaded = self._live.current()
        self._longest = max(self._longest, timedelta(seconds=loaded.settings.recording.segment_seconds))
        for booking in waiting:
            try:
                self._look(loaded, booking, now)
            except core_errors.StaleState:
                logger.info("A booking was changed by somebody else meanwhile", extra={"booking": booking.pk})
        return False

    def _look(self, loaded: Loaded, booking: Booking, now: datetime) -> None:
        window = gaps.Span(booking.from_at, booking.to_at)
        assert booking.channel is not None  # noqa: S101 - asked for in the query
        folder = segments.folder(loaded.home.recordings, booking.channel.slug)
        is_over = now > booking.to_at + _OVER
        # While it runs this is asked twice a second, so only segments of today's length are looked at.
        longest = evidence.LONGEST_SEGMENT if is_over else self._longest
        if evidence.has_begun(folder, window, booking=booking.pk, longest=longest):
            finaliser.begin(loaded, booking)
        elif is_over and self._recorder.is_done_with(booking.pk, end=booking.to_at):
            why = self._recorder.why_missed(window, eras.read(loaded.home.recordings))
            miss(booking, reason=booking.reason or why)


def _until_next(now: datetime) -> timedelta:
    """How long nothing is due, at most some seconds."""
    planned = Booking.objects.filter(state=states.BookingState.PLANNED, from_at__gt=now, channel__isnull=False)
    next_at = planned.aggregate(next_at=Min("from_at"))["next_at"]
    return _REST if next_at is None else min(_REST, next_at - now)


def miss(booking: Booking, *, reason: str) -> None:
    """The time of a booking passed and nobody listened. Raises StaleState."""
    event = kinds.BookingMissed(
        subject=services.subject(booking),
        title=booking.title,
        starts_at=clock.stamp(booking.starts_at),
        reason=reason,
    )
    moves.move(booking, to=states.BookingState.MISSED, event=event, reason=reason)
