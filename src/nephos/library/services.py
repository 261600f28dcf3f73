"""Verbs that write: channels, shares, assets and their files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import ProtectedError

from nephos.events import kinds, log, moves
from nephos.lib import clock, errors, urls
from nephos.library import errors as library_errors
from nephos.library import naming, states
from nephos.library.models import Asset, Channel, MediaFile, Recording, Share

_COUNTRY = re.compile(r"[A-Za-z]{2}")
LONGEST_BUFFER_SECONDS = 7 * 86400
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}")


# --- channels --------------------------------------------------------------------------------------------------------


def zone(name: str) -> str:
    """An IANA time zone as it is spelled, or nothing. Raises Invalid."""
    if not name:
        return ""
    try:
        return ZoneInfo(name).key
    except (KeyError, ValueError, OSError):
        raise errors.Invalid(f"{name[:60]!r} is no IANA time zone.", hint="For example Europe/Madrid.") from None


def _code(value: str, pattern: re.Pattern[str], what: str, example: str) -> str:
    if value and not pattern.fullmatch(value):
        raise errors.Invalid(f"{value[:20]!r} is no {what} code.", hint=f"For example {example}.")
    return value


def _place_fields(changes: dict[str, Any]) -> dict[str, Any]:
    """Check the columns that channels and shares have in common."""
    clean = dict(changes)
    if "country" in clean:
        clean["country"] = _code(clean["country"], _COUNTRY, "country", "ES").upper()
    if "language" in clean:
        clean["language"] = _code(clean["language"], _LANGUAGE, "language", "spa").lower()
    if "zone" in clean:
        clean["zone"] = zone(clean["zone"])
    return clean


def add_channel(
    *, name: str, address: str, country: str = "", language: str = "", zone: str = "", actor: str = ""
) -> Channel:
    """Add a channel. `address` was checked by the caller (`recording.sources.address`).

    Raises Invalid, or Taken if the name or the address is in use.
    """
    name = naming.title(name, what="channel name")
    fields = _place_fields({"country": country, "language": language, "zone": zone})
    with transaction.atomic():
        _refuse_taken(name=name, address=address, besides=None)
        channel = Channel.objects.create(name=name, slug=_free_slug(name), address=address, **fields)
        log.emit(kinds.ChannelAdded(subject=f"channel:{channel.pk}", channel=name), actor=actor)
    return channel


def change_channel(*, channel: Channel, actor: str = "", **changes: Any) -> Channel:
    """Change columns of a channel (name, address, country, language, zone, buffer_seconds). Raises Invalid, Taken."""
    unknown = set(changes) - {"name", "address", "country", "language", "zone", "buffer_seconds"}
    if unknown:
        raise errors.Invalid(f"A channel has no {', '.join(sorted(unknown))}.")
    if changes.get("address") == urls.masked(channel.address):  # as it was shown: its secrets stay
        changes.pop("address")
    fields = _place_fields(changes)
    if "name" in fields:
        fields["name"] = naming.title(fields["name"], what="channel name")
    if "buffer_seconds" in fields:
        fields |= _buffer(channel, fields["buffer_seconds"])
    with transaction.atomic():
        _refuse_taken(name=fields.get("name", ""), address=fields.get("address", ""), besides=channel)
        for column, value in fields.items():
            setattr(channel, column, value)
        channel.save(update_fields=list(fields))
        log.emit(kinds.ChannelChanged(subject=f"channel:{channel.pk}", channel=channel.name), actor=actor)
    return channel


def _buffer(channel: Channel, seconds: int) -> dict[str, Any]:
    if isinstance(seconds, bool) or not isinstance(seconds, int) or not 0 <= seconds <= LONGEST_BUFFER_SECONDS:
        raise errors.Invalid("A rolling buffer keeps from nothing to 7 days.", hint="For example 2h, or 0s for none.")
    since = channel.buffer_since or (clock.now() if seconds else None)
    return {"buffer_seconds": seconds, "buffer_since": since}


def note_bit_rate(*, channel: Channel, bits_per_second: int) -> None:
    """Keep what a check or a recording measured, for forecasts."""
    Channel.objects.filter(pk=channel.pk).update(bits_per_second=max(0, bits_per_second))


def remove_channel(*, channel: Channel, actor: str = "") -> None:
    """Remove a channel; its recordings stay. Raises StillNeeded while a schedule or booking uses it."""
    subject, name = f"channel:{channel.pk}", channel.name
    try:
        with transaction.atomic():
            channel.delete()
            log.emit(kinds.ChannelRemoved(subject=subject, channel=name), actor=actor)
    except ProtectedError:
        raise library_errors.StillNeeded(
            f"Channel {name} still has schedules or bookings.", hint="Remove its schedules first."
        ) from None


def note_channel_status(*, channel: Channel, status: states.ChannelStatus, found: dict[str, Any] | None = None) -> None:
    """Keep what a check found; `found` is the whole answer of an examination."""
    changes: dict[str, Any] = {"status": status, "status_at": clock.now()}
    if found is not None:
        changes["found"] = found
        if found.get("bits_per_second"):
            changes["bits_per_second"] = found["bits_per_second"]
    Channel.objects.filter(pk=channel.pk).update(**changes)


def _refuse_taken(*, name: str, address: str, besides: Channel | None) -> None:
    others = Channel.objects.exclude(pk=besides.pk) if besides else Channel.objects.all()
    if name and others.filter(name__iexact=name).exists():
        raise library_errors.Taken(f"There is a channel called {name} already.")
    if address and (other := others.filter(address=address).first()):
        raise library_errors.Taken(f"Channel {other.name} has the address {urls.masked(address)} already.")


def _free_slug(name: str) -> str:
    wanted = naming.slug(name, fallback="channel")
    slug, number = wanted, 2
    while Channel.objects.filter(slug=slug).exists():
        slug, number = f"{wanted}-{number}", number + 1
    return slug


# --- shares ----------------------------------------------------------------------------------------------------------


def add_share(
    *, email: str, channel: Channel | None = None, tags: list[str] | None = None, actor: str = "", **place: str
) -> Share:
    """Add a person with filters (channel, country, language, zone, tags). Raises Invalid or Taken."""
    email = email.strip().lower()
    try:
        validate_email(email)
    except ValidationError:
        raise errors.Invalid(f"{email[:80]!r} is no e-mail address.") from None
    fields = _place_fields(place)
    clean_tags = [naming.title(tag, what="tag") for tag in tags or []]
    with transaction.atomic():
        if Share.objects.filter(email=email).exists():
            raise library_errors.Taken(f"There is a share for {email} already.")
        share = Share.objects.create(email=email, channel=channel, tags=clean_tags, **fields)
        log.emit(kinds.ShareAdded(subject=f"share:{share.pk}", email=email), actor=actor)
    return share


def remove_share(*, share: Share, actor: str = "") -> None:
    """Remove a share."""
    with transaction.atomic():
        log.emit(kinds.ShareRemoved(subject=f"share:{share.pk}", email=share.email), actor=actor)
        share.delete()


# --- assets ----------------------------------------------------------------------------------------------------------


def begin_recording(  # noqa: PLR0913 - the columns of one row
    *,
    key: str,
    title: str,
    channel: Channel,
    stem: str,
    starts_at: datetime,
    ends_at: datetime,
    pipeline: str = "",
    tags: Sequence[str] = (),
) -> Asset:
    """The asset of a recording that has begun to arrive. The same key returns the same asset."""
    with transaction.atomic():
        asset, fresh = Asset.objects.get_or_create(
            key=key,
            defaults={
                "state": states.AssetState.ARRIVING,
                "door": states.Door.RECORDING,
                "title": title,
                "channel": channel,
                "stem": stem,
                "folder": f"{channel.slug}/{stem}",
                "pipeline": pipeline,
                "tags": list(tags),
            },
        )
        if fresh:
            Recording.objects.create(asset=asset, starts_at=starts_at, ends_at=ends_at)
            log.emit(kinds.AssetBegun(subject=subject(asset), title=title))
    return asset


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What the finaliser found out about a recording."""

    verdict: states.Verdict
    reason: str
    score: int
    recorded_from: datetime | None = None
    recorded_to: datetime | None = None
    gaps: list[dict[str, Any]] = field(default_factory=list)
    counters: dict[str, int] = field(default_factory=dict)


def retitle(*, asset: Asset, title: str) -> None:
    """A better title became known; names of files stay."""
    Asset.objects.filter(pk=asset.pk).update(title=naming.title(title, what="title"))


def finish_recording(*, asset: Asset, finding: Finding) -> None:
    """Store the verdict; the asset has arrived, or is empty. Does nothing if that was done before."""
    if asset.state != states.AssetState.ARRIVING:
        return
    nothing = finding.verdict in (states.Verdict.EMPTY, states.Verdict.MISSED) or finding.counters.get("bytes") == 0
    with transaction.atomic():
        Recording.objects.filter(asset=asset).update(
            verdict=finding.verdict,
            reason=finding.reason,
            score=finding.score,
            recorded_from=finding.recorded_from,
            recorded_to=finding.recorded_to,
            gaps=finding.gaps,
            counters=finding.counters,
        )
        if nothing:
            event: kinds.Kind = kinds.AssetEmpty(subject=subject(asset), title=asset.title, reason=finding.reason)
            moves.move(asset, to=states.AssetState.EMPTY, event=event, reason=finding.reason)
            return
        words = str(finding.verdict).replace("_", " ")
        event = kinds.AssetArrived(subject=subject(asset), title=asset.title, verdict=words)
        moves.move(asset, to=states.AssetState.ARRIVED, event=event, arrived_at=clock.now())


def begin_fileset(*, key: str, title: str, watch: str, stem: str, pipeline: str) -> Asset:
    """The asset of files that a watch took in; `arrive` follows when its files are registered."""
    asset, fresh = Asset.objects.get_or_create(
        key=key,
        defaults={
            "state": states.AssetState.ARRIVING,
            "door": states.Door.FILE_SET,
            "title": title,
            "watch": watch,
            "stem": stem,
            "folder": f"{naming.slug(watch)}/{stem}",
            "pipeline": pipeline,
        },
    )
    if fresh:
        log.emit(kinds.AssetBegun(subject=subject(asset), title=title))
    return asset


def arrive(*, asset: Asset) -> None:
    """A file set is whole. Does nothing if that was said before."""
    if asset.state == states.AssetState.ARRIVING:
        event = kinds.AssetArrived(subject=subject(asset), title=asset.title, verdict="complete")
        moves.move(asset, to=states.AssetState.ARRIVED, event=event, arrived_at=clock.now())


def start_processing(*, asset: Asset, pipeline: str, actor: str = "") -> None:
    """The farm has a job for this asset."""
    event = kinds.AssetProcessing(subject=subject(asset), title=asset.title, pipeline=pipeline)
    moves.move(
        asset,
        to=states.AssetState.PROCESSING,
        event=event,
        actor=actor,
        pipeline=pipeline,
        runs=asset.runs + 1,
        reason="",
    )


def finish_processing(*, asset: Asset) -> None:
    """All files are made and registered (or there was nothing to make)."""
    event = kinds.AssetProcessed(subject=subject(asset), title=asset.title)
    moves.move(asset, to=states.AssetState.PROCESSED, event=event, processed_at=clock.now())


def fail_processing(*, asset: Asset, reason: str) -> None:
    """The farm gave up; the source is untouched."""
    event = kinds.AssetFailed(subject=subject(asset), title=asset.title, reason=reason)
    moves.move(asset, to=states.AssetState.FAILED, event=event, reason=reason)


def start_delivery(*, asset: Asset, watches: list[str]) -> None:
    """The set was handed over to these watches."""
    event = kinds.AssetDelivering(subject=subject(asset), title=asset.title, watches=", ".join(watches))
    moves.move(asset, to=states.AssetState.DELIVERING, event=event)


def finish_delivery(*, asset: Asset) -> None:
    """Every watch has receipts for every file."""
    event = kinds.AssetDelivered(subject=subject(asset), title=asset.title)
    moves.move(asset, to=states.AssetState.DELIVERED, event=event, delivered_at=clock.now())


def set_keep(*, asset: Asset, keep: bool, actor: str = "") -> None:
    """Protect an asset from retention, or no longer. Does nothing if it is so already."""
    what = "its files stay here whatever retention says" if keep else "retention may free its files"
    with transaction.atomic():
        if Asset.objects.filter(pk=asset.pk, keep=not keep).update(keep=keep):
            log.emit(kinds.AssetKept(subject=subject(asset), title=asset.title, what=what), actor=actor)
    asset.keep = keep


def free(*, asset: Asset, event: kinds.AssetFreed) -> None:
    """Its files may be removed here: `note_freed` follows for each. Raises ForbiddenMove, StaleState."""
    moves.move(asset, to=states.AssetState.FREED, event=event)


def note_freed(*, file: MediaFile) -> None:
    """A file of a freed asset is gone from this machine."""
    file.freed_at = clock.now()
    MediaFile.objects.filter(pk=file.pk).update(freed_at=file.freed_at)


def refuse_delivery(*, asset: Asset, reason: str) -> None:
    """A watch could not take the set: the asset waits, processed, until somebody mends that."""
    event = kinds.AssetUndelivered(subject=subject(asset), title=asset.title, reason=reason)
    moves.move(asset, to=states.AssetState.PROCESSED, event=event, reason=reason)


def add_file(  # noqa: PLR0913 - the columns of one row
    *,
    asset: Asset,
    kind: str,
    place: states.Place,
    path: str,
    size_bytes: int,
    sha256: str,
    label: str = "",
    language: str = "",
) -> MediaFile:
    """Register a file of an asset; the same path again replaces what was known of it."""
    row, _ = MediaFile.objects.update_or_create(
        asset=asset,
        place=place,
        path=path,
        defaults={
            "kind": kind,
            "size_bytes": size_bytes,
            "sha256": sha256,
            "label": label,
            "language": language,
            "freed_at": None,
        },
    )
    return row


def subject(asset: Asset) -> str:
    """How events and jobs name an asset."""
    return f"asset:{asset.pk}"
