"""What pages, API and commands read: frozen values, never rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import reduce
from operator import or_
from pathlib import Path
from typing import Any

from django.db.models import Q, QuerySet

from nephos.config.home import Home
from nephos.lib import text as texts
from nephos.lib import urls
from nephos.library import errors, grades, states
from nephos.library.models import Asset, Channel, MediaFile, Share


@dataclass(frozen=True, slots=True)
class ChannelView:
    """A channel."""

    id: int
    name: str
    slug: str
    address: str
    country: str
    language: str
    zone: str
    status: str
    status_at: datetime | None
    buffer_seconds: int = 0
    bits_per_second: int = 0
    found: dict[str, Any] | None = None  # by the last examination


@dataclass(frozen=True, slots=True)
class ShareView:
    """A person and their filters."""

    id: int
    email: str
    channel: str
    country: str
    language: str
    zone: str
    tags: list[str]


@dataclass(frozen=True, slots=True)
class FileView:
    """One file of an asset."""

    id: int
    kind: str
    name: str
    place: str
    path: str
    size_bytes: int
    sha256: str
    label: str
    language: str
    freed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RecordingView:
    """What is special about a recording."""

    starts_at: datetime
    ends_at: datetime
    recorded_from: datetime | None
    recorded_to: datetime | None
    verdict: str
    reason: str
    score: int | None
    gaps: list[dict[str, Any]]
    counters: dict[str, int]
    grade: str = ""


@dataclass(frozen=True, slots=True)
class AssetView:
    """An asset on its journey."""

    id: int
    door: str
    title: str
    state: str
    state_at: datetime
    reason: str
    channel: str
    channel_id: int | None
    watch: str
    pipeline: str
    folder: str
    stem: str
    tags: list[str]
    created_at: datetime
    arrived_at: datetime | None
    processed_at: datetime | None
    delivered_at: datetime | None
    recording: RecordingView | None
    keep: bool = False
    files: list[FileView] = field(default_factory=list)


def channels() -> list[ChannelView]:
    """All channels by name."""
    return [channel_view(row) for row in Channel.objects.all()]


def get_channel(ref: str) -> Channel:
    """A channel by id, name, slug or unambiguous start of its name. Raises UnknownChannel."""
    ref = texts.searched(ref)
    exact = Channel.objects.filter(Q(name__iexact=ref) | Q(slug=ref.lower())).first()
    if exact is None and ref.isascii() and ref.isdigit() and len(ref) < 18:
        exact = Channel.objects.filter(pk=int(ref)).first()
    if exact is not None:
        return exact
    starts = list(Channel.objects.filter(name__istartswith=ref)[:2]) if ref else []
    if len(starts) == 1:
        return starts[0]
    raise errors.UnknownChannel(
        f"There is no channel {ref[:80]!r}." if not starts else f"{ref[:80]!r} could be several channels.",
        hint="`nephos channel list` shows them.",
    )


def channel_view(row: Channel) -> ChannelView:
    """The value of one row."""
    return ChannelView(
        id=row.pk,
        name=row.name,
        slug=row.slug,
        address=urls.masked(row.address),
        country=row.country,
        language=row.language,
        zone=row.zone,
        status=row.status,
        status_at=row.status_at,
        buffer_seconds=row.buffer_seconds,
        bits_per_second=row.bits_per_second,
        found=row.found or None,
    )


def shares() -> list[ShareView]:
    """All shares by e-mail."""
    return [share_view(row) for row in Share.objects.select_related("channel")]


def share_view(row: Share) -> ShareView:
    """The value of one row."""
    channel = row.channel.name if row.channel else ""
    return ShareView(row.pk, row.email, channel, row.country, row.language, row.zone, list(row.tags))


def get_share(ref: str) -> Share:
    """A share by id or e-mail. Raises UnknownShare."""
    ref = texts.searched(ref)
    row = Share.objects.filter(email__iexact=ref).first()
    if row is None and ref.isascii() and ref.isdigit() and len(ref) < 18:
        row = Share.objects.filter(pk=int(ref)).first()
    if row is None:
        raise errors.UnknownShare(f"There is no share {ref[:80]!r}.", hint="`nephos share list` shows them.")
    return row


def assets(  # noqa: PLR0913 - the filters of a list
    *,
    door: str = "",
    state: str = "",
    channel: int | None = None,
    search: str = "",
    grade: Iterable[grades.Grade] = (),
    limit: int = 50,
    offset: int = 0,
) -> list[AssetView]:
    """Newest first."""
    rows = Asset.objects.select_related("channel", "recording").order_by("-created_at", "-pk")
    if door:
        rows = rows.filter(door=door)
    if state:
        rows = rows.filter(state=state)
    if channel is not None:
        rows = rows.filter(channel_id=channel)
    ranges = [Q(recording__score__range=pair) for pair in grades.scores(frozenset(grade))]
    if ranges:
        rows = rows.filter(reduce(or_, ranges))
    search = texts.searched(search)
    if search:
        rows = rows.filter(Q(title__icontains=search) | Q(channel__name__icontains=search))
    return [asset_view(row) for row in rows[offset : offset + limit]]


def get_asset(ref: str | int) -> Asset:
    """An asset by id or stem. Raises UnknownAsset."""
    text = str(ref)
    rows: QuerySet[Asset] = Asset.objects.select_related("channel", "recording")
    row = None
    if text.isascii() and text.isdigit() and len(text) < 18:
        row = rows.filter(pk=int(text)).first()
    row = row or rows.filter(stem=text).order_by("-pk").first()
    if row is None:
        raise errors.UnknownAsset(f"There is no asset {text[:80]!r}.", hint="`nephos asset list` shows them.")
    return row


def asset(ref: str | int) -> AssetView:
    """One asset with its files. Raises UnknownAsset."""
    row = get_asset(ref)
    return asset_view(row, files=[file_view(item) for item in row.files.all()])


def asset_view(row: Asset, *, files: list[FileView] | None = None) -> AssetView:
    """The value of one row."""
    return AssetView(
        id=row.pk,
        door=row.door,
        title=row.title,
        state=row.state,
        state_at=row.state_at,
        reason=row.reason,
        channel=row.channel.name if row.channel else "",
        channel_id=row.channel_id,
        watch=row.watch,
        pipeline=row.pipeline,
        folder=row.folder,
        stem=row.stem,
        tags=list(row.tags),
        created_at=row.created_at,
        arrived_at=row.arrived_at,
        processed_at=row.processed_at,
        delivered_at=row.delivered_at,
        recording=_recording_view(row),
        keep=row.keep,
        files=files or [],
    )


def _recording_view(row: Asset) -> RecordingView | None:
    found = getattr(row, "recording", None)
    if found is None:
        return None
    return RecordingView(
        found.starts_at,
        found.ends_at,
        found.recorded_from,
        found.recorded_to,
        found.verdict,
        found.reason,
        found.score,
        list(found.gaps),
        dict(found.counters),
        str(grades.grade(found.score) or ""),
    )


def file_view(row: MediaFile) -> FileView:
    """The value of one row."""
    name = row.path.rsplit("/", 1)[-1]
    return FileView(
        id=row.pk,
        kind=row.kind,
        name=name,
        place=row.place,
        path=row.path,
        size_bytes=row.size_bytes,
        sha256=row.sha256,
        label=row.label,
        language=row.language,
        freed_at=row.freed_at,
    )


def get_file(file_id: int) -> MediaFile:
    """A registered file. Raises UnknownAsset."""
    row = MediaFile.objects.filter(pk=file_id).first()
    if row is None:
        raise errors.UnknownAsset(f"There is no file {file_id}.")
    return row


def locate(file: MediaFile | FileView, home: Home) -> Path:
    """Where a registered file lies on this machine."""
    match file.place:
        case states.Place.RECORDINGS:
            return home.recordings / file.path
        case states.Place.PROCESSED:
            return home.processed / file.path
        case _:
            return Path(file.path)
