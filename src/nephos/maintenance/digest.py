"""What happened in a day, told once: recorded, missed, processed, delivered, failed, what is open, what is to come."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from nephos.config.load import Loaded
from nephos.events import kinds, log
from nephos.events.models import Event
from nephos.lib import clock, text
from nephos.library.models import Recording
from nephos.maintenance import days, space
from nephos.monitoring import letters, queries
from nephos.recording import rules, states, zones
from nephos.recording.models import Booking

_LISTED = 20
_COUNTED = (
    "booking.finished",
    "booking.missed",
    "asset.arrived",
    "asset.empty",
    "asset.processed",
    "asset.delivered",
    "asset.failed",
    "asset.freed",
    "transfer.held",
    "problem.opened",
)


def check(loaded: Loaded) -> None:
    """Make the digest that is due, if it was not made. Its uid in the log is what makes it once a day."""
    zone = ZoneInfo(zones.of_station(loaded) or "UTC")
    hour, minute = map(int, loaded.settings.maintenance.digest.time.split(":"))
    due = days.last_due(clock.now(), at=time(hour, minute), zone=zone)
    uid = f"digest:{due.day.isoformat()}"
    if Event.objects.filter(uid=uid).exists():
        return
    if not _was_there(due):
        return
    log.emit(make(due, loaded), uid=uid)


def tell_now(loaded: Loaded) -> None:
    """A digest of the day so far, because somebody wants one; that of the evening comes all the same."""
    now = clock.now()
    zone = ZoneInfo(zones.of_station(loaded) or "UTC")
    log.emit(make(days.Digest(day=now.astimezone(zone).date(), since=now - timedelta(days=1), until=now), loaded))


def _was_there(due: days.Digest) -> bool:
    """Whether the station existed before that moment, and the moment is not long past: no digest of no day."""
    is_fresh = clock.now() - due.until < timedelta(days=1)
    return is_fresh and Event.objects.filter(at__lt=due.until).exists()


def make(due: days.Digest, loaded: Loaded) -> kinds.DigestMade:
    """The digest of a day."""
    counts = _counts(due.since, due.until)
    gaps = _gaps(due.since, due.until)
    problems = queries.problems()
    figures = {
        "recorded": counts["booking.finished"],
        "with_gaps": len(gaps),
        "missed": counts["booking.missed"],
        "empty": counts["asset.empty"],
        "processed": counts["asset.processed"],
        "delivered": counts["asset.delivered"],
        "failed": counts["asset.failed"],
        "held": counts["transfer.held"],
        "freed": counts["asset.freed"],
        "problems": counts["problem.opened"],
        "problems_open": len(problems),
    }
    summary = (
        f"{figures['recorded']} recorded ({figures['with_gaps']} with gaps), {figures['missed']} missed, "
        f"{figures['delivered']} delivered, {figures['failed']} failed"
    )
    day = rules.day_in_words(due.day)
    body = "\n\n".join(_blocks(due, loaded, figures, gaps, problems))
    return kinds.DigestMade(subject="station", day=day, summary=summary, body=body, figures=figures)


def _counts(since: datetime, until: datetime) -> Counter[str]:
    found = Event.objects.filter(at__gte=since, at__lt=until, kind__in=_COUNTED)
    return Counter(found.values_list("kind", flat=True))


def _gaps(since: datetime, until: datetime) -> list[Recording]:
    ended = Recording.objects.filter(asset__arrived_at__gte=since, asset__arrived_at__lt=until)
    return [one for one in ended.select_related("asset").order_by("starts_at") if one.gaps]


def _blocks(
    due: days.Digest,
    loaded: Loaded,
    figures: dict[str, int],
    gaps: list[Recording],
    problems: list[queries.ProblemView],
) -> list[str]:
    zone = zones.of_station(loaded)
    span = f"From {letters.moment(due.since, zone)}\nto   {letters.moment(due.until, zone)}"
    table = "\n".join(f"{name.replace('_', ' ') + ':':<15} {number}" for name, number in figures.items())
    blocks = [span, table]
    blocks += _list("Missed", _missed(due))
    blocks += _list("With gaps", [f"{one.asset.title}: {one.reason}" for one in gaps])
    blocks += _list("Failed", _failed(due))
    blocks += _list("Open problems", [f"{one.sentence} {one.reason} {one.hint}" for one in problems])
    blocks.append(_space(loaded))
    blocks += _list("Next 24 hours", _coming(loaded))
    return blocks


def _list(title: str, lines: list[str]) -> list[str]:
    if not lines:
        return []
    shown = [f"- {letters.line(one)}" for one in lines[:_LISTED]]
    more = [f"- and {len(lines) - _LISTED} more"] if len(lines) > _LISTED else []
    return ["\n".join([f"{title}:", *shown, *more])]


def _missed(due: days.Digest) -> list[str]:
    found = Event.objects.filter(at__gte=due.since, at__lt=due.until, kind="booking.missed").order_by("id")
    return [entry.text for entry in found[: _LISTED + 1]]


def _failed(due: days.Digest) -> list[str]:
    kinds_of_it = ("asset.failed", "asset.empty", "transfer.held")
    found = Event.objects.filter(at__gte=due.since, at__lt=due.until, kind__in=kinds_of_it).order_by("id")
    return [entry.text for entry in found[: _LISTED + 1]]


def _space(loaded: Loaded) -> str:
    volume = space.volumes(loaded)[0]
    free = f"{text.size(volume.free_bytes)} of {text.size(volume.total_bytes)} free ({volume.free_percent:.0f} %)"
    return f"Disk: {free}, {space.until_in_words(volume.full_at, loaded)}."


def _coming(loaded: Loaded) -> list[str]:
    now, zone = clock.now(), ZoneInfo(zones.of_station(loaded) or "UTC")
    found = Booking.objects.filter(
        state=states.BookingState.PLANNED, starts_at__gte=now, starts_at__lt=now + timedelta(days=1)
    )
    return [f"{one.starts_at.astimezone(zone):%H:%M} {one.title}" for one in found.order_by("starts_at")[: _LISTED + 1]]
