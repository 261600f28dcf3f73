"""Is there space, and until when?"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from django.db.models import Sum

from nephos.config import upkeep
from nephos.config.load import Loaded
from nephos.lib import clock, files, text
from nephos.library.models import Channel, MediaFile, Recording
from nephos.library.states import Place
from nephos.maintenance import forecast, machine
from nephos.monitoring import queries, services
from nephos.monitoring.states import Weight
from nephos.recording import rules, states, zones
from nephos.recording.models import Booking

KIND = "disk.low"
_USUAL_BYTES_PER_SECOND = 1_000_000.0  # 8 Mb/s, until something was recorded of a channel
_SAMPLE_EVERY = timedelta(hours=1)
_MOST_SAMPLES = 24 * 7
_MEAN_OVER = timedelta(days=1)  # bookings of less than a day say nothing about the days after
_BACK_AGAIN = 1.05  # so much more must be free before it is over, or it would come and go


@dataclass(frozen=True, slots=True)
class Volume:
    """A file system that the home lies on."""

    purpose: str
    folder: Path
    total_bytes: int
    free_bytes: int
    full_at: datetime | None = None

    @property
    def free_percent(self) -> float:
        return 100 * self.free_bytes / self.total_bytes if self.total_bytes else 0.0


def check(loaded: Loaded) -> None:
    """Open or close a problem for each volume."""
    remember(loaded)
    chosen = loaded.settings.maintenance.disk
    is_open = {view.key for view in queries.problems(kind=KIND)}
    low = [volume for volume in volumes(loaded) if is_low(volume, chosen, again=_key(volume) in is_open)]
    for volume in low:
        services.report(_finding(volume, loaded))
    services.clear_others(KIND, keep=[_key(volume) for volume in low])


def rest() -> None:
    """Nobody looks any more, so nothing is known to be low."""
    services.clear_others(KIND)


def is_low(volume: Volume, chosen: upkeep.DiskCheck, *, again: bool = False) -> bool:
    """Whether too little is free, or will be soon. `again`: it was found low before."""
    factor = _BACK_AGAIN if again else 1.0
    if volume.free_bytes < chosen.min_bytes * factor or volume.free_percent < chosen.min_percent * factor:
        return True
    soon = clock.now() + timedelta(hours=chosen.warn_hours * factor)
    return bool(chosen.warn_hours) and volume.full_at is not None and volume.full_at < soon


def volumes(loaded: Loaded) -> list[Volume]:
    """Each volume once, that of the recordings first and with its forecast."""
    home = loaded.home
    found: dict[int, Volume] = {}
    for purpose in ("recordings", "processed", "databases", "logs"):
        folder = machine.nearest(getattr(home, purpose))
        device = folder.stat().st_dev
        if device in found:
            continue
        usage = shutil.disk_usage(folder)
        full_at = _full_at(loaded, usage.free) if purpose == "recordings" else None
        found[device] = Volume(purpose, folder, usage.total, usage.free, full_at)
    return list(found.values())


def until_in_words(moment: datetime | None, loaded: Loaded) -> str:
    """`full on Thursday 26 November 2026 at 03:00`, in the station's zone."""
    if moment is None:
        return "not full within a year"
    local = moment.astimezone(ZoneInfo(zones.of_station(loaded) or "UTC"))
    return f"full on {rules.day_in_words(local.date())} at {local:%H:%M}"


def _key(volume: Volume) -> str:
    return f"{KIND}:{volume.purpose}"


def _finding(volume: Volume, loaded: Loaded) -> services.Finding:
    free = f"{text.size(volume.free_bytes)} of {text.size(volume.total_bytes)} ({volume.free_percent:.1f} %) is free"
    coming = f"; it is {until_in_words(volume.full_at, loaded)}" if volume.full_at is not None else ""
    floor = loaded.settings.recording.hard_floor_bytes
    return services.Finding(
        key=_key(volume),
        kind=KIND,
        subject=f"volume:{volume.purpose}",
        sentence=f"The disk with the {volume.purpose} is getting full.",
        reason=f"{free}{coming}. Recording stops when less than {text.size(floor)} is free.",
        retry=f"It is looked at every {text.duration(_interval(loaded))}.",
        hint="Make room, add a disk, or let retention free what is delivered: `nephos retention plan` shows what "
        "could go.",
        weight=Weight.ERROR if volume.free_bytes < loaded.settings.recording.soft_floor_bytes else Weight.WARNING,
    )


def _interval(loaded: Loaded) -> timedelta:
    return timedelta(seconds=loaded.settings.maintenance.disk.interval_seconds)


# --- what is to come -------------------------------------------------------------------------------------------------


def _full_at(loaded: Loaded, free: int) -> datetime | None:
    now = clock.now()
    draws = booked(loaded, now)
    horizon = max((one.end for one in draws), default=now) - now
    total = sum((one.end - max(one.start, now)).total_seconds() * one.bytes_per_second for one in draws)
    mean = total / horizon.total_seconds() if horizon > _MEAN_OVER else 0.0
    shrinks = forecast.trend(_samples(loaded))
    return forecast.full_at(
        now=now,
        usable_bytes=free - loaded.settings.recording.hard_floor_bytes,
        draws=draws,
        background=max(0.0, shrinks - mean),
        later=mean,
    )


def booked(loaded: Loaded, now: datetime) -> list[forecast.Draw]:
    """What open bookings will write, with what is made of it if that goes to the same volume."""
    grows = 1.0 + _made_of_it(loaded)
    bookings = Booking.objects.filter(state__in=states.OPEN, to_at__gt=now, channel__isnull=False)
    rates: dict[int, float] = {}
    found = []
    for booking in bookings.select_related("channel"):
        channel = booking.channel
        assert channel is not None  # noqa: S101 - asked for in the query
        if channel.pk not in rates:
            rates[channel.pk] = _rate(channel) * grows
        found.append(forecast.Draw(booking.from_at, booking.to_at, rates[channel.pk]))
    return found


def _rate(channel: Channel) -> float:
    """Bytes a second: of its last recordings, else as it was measured last, else as most channels are."""
    last = Recording.objects.filter(
        asset__channel=channel, recorded_from__isnull=False, recorded_to__isnull=False
    ).order_by("-starts_at")[:5]
    spans = [one.recorded_to - one.recorded_from for one in last if one.recorded_to and one.recorded_from]
    seconds = sum((span.total_seconds() for span in spans), 0.0)
    written = sum(int(one.counters.get("bytes", 0)) for one in last)
    if seconds > 0 and written > 0:
        return written / seconds
    return channel.bits_per_second / 8 or _USUAL_BYTES_PER_SECOND


def _made_of_it(loaded: Loaded) -> float:
    """How many bytes of results come with each byte recorded."""
    home = loaded.home
    places = [machine.nearest(folder).stat().st_dev for folder in (home.recordings, home.processed)]
    if len(set(places)) > 1:
        return 0.0
    sums = {
        row["place"]: row["bytes"] or 0 for row in MediaFile.objects.values("place").annotate(bytes=Sum("size_bytes"))
    }
    recorded = sums.get(Place.RECORDINGS, 0)
    return float(min(2.0, sums.get(Place.PROCESSED, 0) / recorded)) if recorded else 0.0


# --- what was --------------------------------------------------------------------------------------------------------


def remember(loaded: Loaded) -> None:
    """Note how much is free, once an hour, for a week."""
    known, now = _samples(loaded), clock.now()
    if known and now - known[-1].at < _SAMPLE_EVERY:
        return
    known.append(forecast.Sample(now, machine.free_bytes(loaded.home.recordings)))
    rows = [[clock.stamp(one.at), one.free_bytes] for one in known[-_MOST_SAMPLES:]]
    files.write_json(_file(loaded), rows, durable=False)


def _file(loaded: Loaded) -> Path:
    return loaded.home.run / "space.json"


def _samples(loaded: Loaded) -> list[forecast.Sample]:
    rows = files.read_json(_file(loaded))
    try:
        return [forecast.Sample(clock.parse(at), int(free)) for at, free in rows or []]
    except (TypeError, ValueError):
        return []  # a foreign file: begin anew
