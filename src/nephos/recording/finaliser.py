"""Ends recordings: joins segments by bytes, judges, writes the manifest, tells the library. Safe to repeat.

The disk is the truth. A kill between two steps leaves what the next run recognises: see `join`.
"""

from __future__ import annotations

import logging
import os
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import transaction

from nephos.config.live import Live
from nephos.config.load import Loaded
from nephos.core.loops import Loop
from nephos.events import kinds, moves
from nephos.lib import backoff, clock, errors, files
from nephos.library import naming
from nephos.library import services as library
from nephos.library.models import Asset, Channel
from nephos.library.states import Place, Verdict
from nephos.recording import (
    cuts,
    evidence,
    gaps,
    growing,
    join,
    manifests,
    segments,
    services,
    space,
    states,
    sweep,
    thrift,
)
from nephos.recording import errors as recording_errors
from nephos.recording.models import Booking

logger = logging.getLogger(__name__)

_OVER = timedelta(seconds=2)
_REST = timedelta(seconds=5)  # while nothing is recorded and nobody books anything
_AGAIN = backoff.Backoff(first=timedelta(seconds=2), most=timedelta(minutes=1))
_LEAST_MEASURED_SECONDS = 5
NOT_PROCESSED = "none"


def loops(loaded: Loaded) -> list[Loop]:
    """The loops that put recordings together early, that end them, and that tidy up after them."""
    grown = growing.Growing(loaded)
    return [grown, Finaliser(loaded, grown), sweep.Sweeper(loaded)]


class Finaliser:
    """Ends every recording whose time is over, one at a time; one that cannot be ended does not hold the others up."""

    name = "finaliser"
    idle = timedelta(seconds=0.5)
    rest = idle

    def __init__(self, loaded: Loaded, grown: growing.Growing | None = None) -> None:
        self._live = Live(loaded)
        self._grown = grown
        self._recorder = evidence.Recorder(loaded.home.run)
        self._failures: dict[int, int] = {}
        self._not_before: dict[int, float] = {}

    def step(self) -> bool:
        """End what is over."""
        now = clock.now()
        self._recorder.look()
        self.rest = _REST
        running = Booking.objects.filter(state=states.BookingState.RECORDING)
        for booking in running.select_related("channel", "schedule", "asset").order_by("to_at"):
            self.rest = self.idle
            is_over = booking.to_at < now - _OVER or self._recorder.has_ended(booking.pk, end=booking.to_at)
            if is_over and self._is_due(booking):
                self._try(booking)
        return False

    def _is_due(self, booking: Booking) -> bool:
        if clock.monotonic() < self._not_before.get(booking.pk, 0.0):
            return False
        return self._recorder.is_done_with(booking.pk, end=booking.to_at)

    def _try(self, booking: Booking) -> None:
        try:
            finish(self._live.current(), booking, self._grown)
        except (OSError, errors.NephosError) as error:
            failures = self._failures.get(booking.pk, 0)
            wait = _AGAIN.delay(failures).total_seconds()
            self._failures[booking.pk] = failures + 1
            self._not_before[booking.pk] = clock.monotonic() + wait
            logger.error(
                "A recording cannot be ended yet; nothing is lost, it is tried again",
                extra={"booking": booking.pk, "reason": str(error), "seconds": round(wait)},
            )
        else:
            self._failures.pop(booking.pk, None)
            self._not_before.pop(booking.pk, None)


def begin(loaded: Loaded, booking: Booking) -> Asset:
    """A booking is being received: make its asset, which can be seen to grow. Safe to repeat. Raises StaleState."""
    with transaction.atomic():
        asset = _asset(loaded, booking)
        if booking.state == states.BookingState.PLANNED:
            channel = booking.channel.name if booking.channel else ""
            event = kinds.BookingStarted(subject=services.subject(booking), title=booking.title, channel=channel)
            moves.move(booking, to=states.BookingState.RECORDING, event=event, asset=asset)
    return asset


def _asset(loaded: Loaded, booking: Booking) -> Asset:
    assert booking.channel is not None  # noqa: S101 - an open booking protects its channel
    key = f"booking:{booking.pk}"
    schedule = booking.schedule
    pipeline = (schedule.pipeline if schedule else "") or loaded.settings.recording.pipeline
    return library.begin_recording(
        key=key,
        title=booking.title,
        channel=booking.channel,
        stem=_free_stem(loaded, booking, key=key),
        starts_at=booking.starts_at,
        ends_at=booking.ends_at,
        pipeline="" if pipeline == NOT_PROCESSED else pipeline,
        tags=schedule.tags if schedule else [],
    )


def _free_stem(loaded: Loaded, booking: Booking, *, key: str) -> str:
    """The stem of a recording; `-2` if another asset or a file has it."""
    assert booking.channel is not None  # noqa: S101
    slug = booking.channel.slug
    wanted = naming.recording_stem(booking.schedule.slug if booking.schedule else "adhoc", booking.starts_at)
    stem, number = wanted, 2
    while _is_taken(loaded, slug, stem, key=key):
        stem, number = f"{wanted}-{number}", number + 1
    return stem


def _is_taken(loaded: Loaded, slug: str, stem: str, *, key: str) -> bool:
    if os.path.lexists(loaded.home.recordings / slug / f"{stem}.ts"):
        return not Asset.objects.filter(key=key).exists()
    return Asset.objects.filter(folder=f"{slug}/{stem}").exclude(key=key).exists()


def finish(loaded: Loaded, booking: Booking, grown: growing.Growing | None = None) -> None:
    """End one recording. Raises OSError or SealBroken, after which it can be called again."""
    asset = begin(loaded, booking)
    assert booking.channel is not None  # noqa: S101
    started_mono = clock.monotonic()
    place = join.Place(loaded.home.recordings / booking.channel.slug, asset.stem)
    order = _order(booking)
    manifest = _sealed(loaded, place, order, grown)
    if manifest is None:
        _conclude_empty(loaded, booking, asset, order)
        return
    published = join.publish(place)
    _note_rate(booking.channel, manifest["counters"])
    _conclude(booking, asset, manifest, rows=_files(loaded, published, manifest))
    join.forget(place)
    logger.info(
        "Recording finished",
        extra={
            "booking": booking.pk,
            "file": str(published.stream),
            "verdict": manifest["verdict"],
            "bytes": manifest["bytes"],
            "seconds": round(clock.monotonic() - started_mono, 3),
        },
    )


def _note_rate(channel: Channel, counts: dict[str, int]) -> None:
    """What a channel carries is known best from what it carried."""
    heard = counts["seconds"] - counts["silent"]
    if heard >= _LEAST_MEASURED_SECONDS:
        library.note_bit_rate(channel=channel, bits_per_second=round(counts["bytes"] * 8 / heard))


def _order(booking: Booking) -> manifests.Order:
    assert booking.channel is not None  # noqa: S101
    return manifests.Order(
        booking=booking.pk,
        channel=booking.channel.name,
        schedule=booking.schedule.name if booking.schedule else "",
        title=booking.title,
        url=booking.channel.address,
        wanted=_wanted(booking),
        window=gaps.Span(booking.from_at, booking.to_at),
        stopped=booking.stopped,
        cut_short=booking.cut_short,
    )


def _wanted(booking: Booking) -> gaps.Span:
    """The window without padding; all of it if it was stopped before that began."""
    start, end = max(booking.starts_at, booking.from_at), min(booking.ends_at, booking.to_at)
    if booking.cut_short:
        return gaps.Span(start, max(booking.ends_at, booking.to_at))  # nobody wanted it to be shorter
    return gaps.Span(start, end) if start < end else gaps.Span(booking.from_at, booking.to_at)


def _cut(loaded: Loaded, slug: str, order: manifests.Order) -> cuts.Cut:
    folder = segments.folder(loaded.home.recordings, slug)
    made = cuts.cut(evidence.collect(folder, order.window, booking=order.booking), order.window)
    return replace(made, steps=tuple(evidence.steps(folder, order.window, booking=order.booking)))


def _sealed(
    loaded: Loaded, place: join.Place, order: manifests.Order, grown: growing.Growing | None
) -> dict[str, Any] | None:
    """The manifest of the joined file, joined now or by a run that was killed; None if there is not a byte."""
    manifest = join.read_seal(place)
    ledger = thrift.read(place)
    if manifest is not None and (ledger is not None or manifests.is_of(manifest, order)):
        return manifest
    if ledger is not None:
        return _thrifty(loaded, place, ledger, order)
    cut = _cut(loaded, place.folder.name, order)
    already = grown.take(order.booking, cut.parts) if grown is not None else None
    if already is None:
        join.forget(place)
    if not cut.bytes:
        return None
    try:
        space.check_for_join(loaded, cut.bytes - (already.bytes if already else 0))
    except recording_errors.NoSpace:
        return _thrifty(loaded, place, _ledger(loaded, place, order, cut), order)
    joined = join.assemble(place, cut.parts, already=already)
    manifest = manifests.document(order, manifests.find(order, cut), cut, joined)
    join.write_seal(place, manifest)
    return manifest


def _ledger(loaded: Loaded, place: join.Place, order: manifests.Order, cut: cuts.Cut) -> thrift.Ledger:
    """Begin to join without a second copy. Raises NoSpace if not even that can be done now."""
    may_go = sweep.spare(loaded, order.booking, now=clock.now())
    space.check_for_join(loaded, thrift.peak_bytes(cut.parts, may_go))
    logger.warning("There is little space: segments go as soon as they are joined", extra={"booking": order.booking})
    nothing_yet = join.Joined(cut.bytes, "", ())
    return thrift.begin(place, manifests.document(order, manifests.find(order, cut), cut, nothing_yet), cut.parts)


def _thrifty(loaded: Loaded, place: join.Place, ledger: thrift.Ledger, order: manifests.Order) -> dict[str, Any]:
    joined = thrift.assemble(place, ledger, may_go=sweep.spare(loaded, order.booking, now=clock.now()))
    manifest = thrift.document(ledger, joined)
    join.write_seal(place, manifest)
    return manifest


def _files(loaded: Loaded, published: join.Published, manifest: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of the two files."""

    def row(kind: str, file: Path, size_bytes: int, sha256: str) -> dict[str, Any]:
        path = file.relative_to(loaded.home.recordings).as_posix()
        return {"kind": kind, "path": path, "size_bytes": size_bytes, "sha256": sha256}

    beside = published.manifest
    return [
        row("recording", published.stream, manifest["bytes"], manifest["sha256"]),
        row("recording-manifest", beside, beside.stat().st_size, files.sha256(beside)),
    ]


def _conclude_empty(loaded: Loaded, booking: Booking, asset: Asset, order: manifests.Order) -> None:
    assert booking.channel is not None  # noqa: S101
    cut = _cut(loaded, booking.channel.slug, order)
    findings = manifests.find(order, cut)
    manifest = {
        "verdict": str(findings.judgement.verdict),
        "reason": findings.judgement.reason,
        "score": findings.judgement.score,
        "gaps": [gap.document() for gap in findings.gaps],
        "counters": dict(findings.counters),
    }
    _conclude(booking, asset, manifest, rows=[])


def _conclude(booking: Booking, asset: Asset, manifest: dict[str, Any], *, rows: list[dict[str, Any]]) -> None:
    """Tell the library, in one transaction. The files are registered before anybody hears that the asset arrived."""
    finding = library.Finding(
        verdict=Verdict(manifest["verdict"]),
        reason=manifest["reason"],
        score=manifest["score"],
        recorded_from=_moment(manifest, "recorded_from"),
        recorded_to=_moment(manifest, "recorded_to"),
        gaps=manifest["gaps"],
        counters=manifest["counters"],
    )
    event = kinds.BookingFinished(
        subject=services.subject(booking),
        title=booking.title,
        verdict=str(finding.verdict).replace("_", " "),
        reason=finding.reason,
    )
    with transaction.atomic():
        for row in rows:
            library.add_file(asset=asset, place=Place.RECORDINGS, **row)
        library.finish_recording(asset=asset, finding=finding)
        moves.move(booking, to=states.BookingState.RECORDED, event=event, reason=finding.reason, asset=asset)


def _moment(manifest: dict[str, Any], key: str) -> datetime | None:
    return manifests.moment(manifest.get(key))
