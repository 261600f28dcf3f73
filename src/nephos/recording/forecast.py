"""What is booked for the next days against the network and the disk of this station."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from nephos.config.load import Loaded
from nephos.core import bootstrap
from nephos.lib import clock, files
from nephos.library.models import Channel
from nephos.recording import agenda, capacity, rules, states, zones
from nephos.recording.models import Booking, Schedule

AHEAD = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class ConflictView:
    """A shortage ahead. `wanted` and `available` are bits per second for the network, bytes for the disk."""

    kind: str
    starts_at: datetime
    ends_at: datetime
    wanted: int
    available: int
    bookings: list[int]
    titles: list[str]
    sentence: str


def conflicts() -> list[ConflictView]:
    """Shortages of the next seven days, the earliest first."""
    loaded = bootstrap.current()
    recording = loaded.settings.recording
    wanted = demands(loaded, now=clock.now())
    found = capacity.network(wanted, limit=recording.network_bits_per_second)
    found += capacity.disk(wanted, free=_free(loaded), floor=recording.soft_floor_bytes)
    return [_view(one) for one in sorted(found, key=lambda one: one.start)]


def demands(loaded: Loaded, *, now: datetime) -> list[capacity.Demand]:
    """What is booked, and what rules will book, in the next seven days."""
    assumed = loaded.settings.recording.assumed_bits_per_second
    rows = Booking.objects.filter(state__in=states.OPEN, channel__isnull=False, from_at__lt=now + AHEAD)
    found = [_booked(row, assumed, now) for row in rows.select_related("channel")]
    zone = zones.of_station(loaded)
    for schedule in Schedule.objects.filter(enabled=True).select_related("channel"):
        found += _ruled(schedule, assumed, after=max(schedule.booked_until, now), before=now + AHEAD, zone=zone)
    return [one for one in found if one.end > one.start]


def rate_of(channel: Channel, assumed: int) -> int:
    """What a channel carries, as measured; else what is assumed."""
    return channel.bits_per_second or assumed


def _booked(row: Booking, assumed: int, now: datetime) -> capacity.Demand:
    assert row.channel is not None  # noqa: S101 - asked for in the query
    return capacity.Demand(
        title=row.title,
        channel=row.channel.slug,
        start=max(row.from_at, now),
        end=row.to_at,
        bits_per_second=rate_of(row.channel, assumed),
        booking=row.pk,
    )


def _ruled(
    schedule: Schedule, assumed: int, *, after: datetime, before: datetime, zone: str
) -> Iterator[capacity.Demand]:
    rule, _ = agenda.rule_of(schedule, station_zone=zone)
    for one in rules.occurrences(rule, after, before):
        if one.start - rule.padding_before < after:
            continue  # booked
        yield capacity.Demand(
            title=schedule.name,
            channel=schedule.channel.slug,
            start=one.start - rule.padding_before,
            end=one.end + rule.padding_after,
            bits_per_second=rate_of(schedule.channel, assumed),
        )


def _free(loaded: Loaded) -> int:
    folder = loaded.home.recordings
    return files.free_bytes(folder if folder.exists() else loaded.home.root)


def _view(one: capacity.Shortage) -> ConflictView:
    return ConflictView(
        kind=one.kind,
        starts_at=one.start,
        ends_at=one.end,
        wanted=one.wanted,
        available=one.available,
        bookings=list(one.bookings),
        titles=list(one.titles),
        sentence=one.sentence,
    )
