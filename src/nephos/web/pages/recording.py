"""One asset: play it, see how good it is, where its copies are, and what happened to it."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST, require_safe

from nephos import flow
from nephos.events import log
from nephos.farm import queries as farm
from nephos.lib import errors, files
from nephos.library import queries, states
from nephos.library.queries import AssetView, FileView
from nephos.recording import manifests
from nephos.recording import queries as bookings
from nephos.web import actions, current, deliveries, journeys, rendering, strips

_PLAYABLE = (".mp4", ".webm", ".m4a", ".mp3")
_LANGUAGES = {"spa": "es", "eng": "en", "deu": "de", "ger": "de", "fra": "fr", "fre": "fr", "por": "pt", "ita": "it"}


@dataclass(frozen=True, slots=True)
class Track:
    """Captions for the player."""

    file: FileView
    label: str
    language: str


def _asset(request: HttpRequest) -> AssetView:
    assert request.resolver_match is not None  # noqa: S101 - set by Django before a view runs
    return queries.asset(request.resolver_match.kwargs["asset_id"])


def _journey(request: HttpRequest) -> Mapping[str, Any]:
    asset = _asset(request)
    is_watched = bool(flow.delivering_watches(queries.get_asset(asset.id), current.loaded()))
    booked = bookings.bookings(asset=asset.id, limit=1)
    booked_at = booked[0].created_at if booked else None
    return {"asset": asset, "steps": journeys.steps(asset, booked_at=booked_at, is_watched=is_watched)}


def _player(request: HttpRequest) -> Mapping[str, Any]:
    asset = _asset(request)
    video = next((file for file in asset.files if file.kind == "video"), None)
    video = video or next((file for file in asset.files if Path(file.name).suffix.lower() in _PLAYABLE), None)
    poster = next((file for file in asset.files if file.kind == "thumbnail"), None)
    return {"asset": asset, "video": video, "poster": poster, "tracks": tracks(asset.files)}


def tracks(found: list[FileView]) -> list[Track]:
    """WebVTT files as text tracks, each with a name that tells it from the others."""
    captions = [file for file in found if file.kind == "captions-vtt"]
    return [
        Track(file, file.label or f"Captions {number}", _LANGUAGES.get(file.language, file.language or "und"))
        for number, file in enumerate(captions, 1)
    ]


def _quality(request: HttpRequest) -> Mapping[str, Any]:
    asset = _asset(request)
    return {"asset": asset, "strip": strip(asset), "gaps": _gaps(asset)}


@dataclass(frozen=True, slots=True)
class GapRow:
    """A gap in words."""

    start: datetime | None
    seconds: float
    cause: str


def _gaps(asset: AssetView) -> list[GapRow]:
    found = asset.recording.gaps if asset.recording else []
    return [
        GapRow(manifests.moment(gap.get("start")), gap.get("seconds", 0), str(gap.get("cause", ""))) for gap in found
    ]


def strip(asset: AssetView) -> strips.Strip | None:
    """The strip of a recording's manifest, None before there is one."""
    if asset.recording is None or not asset.recording.verdict:
        return None
    home = current.loaded().home
    beside = [
        queries.locate(file, home)
        for file in asset.files
        if file.place == states.Place.RECORDINGS and file.name.endswith(".manifest.json")
    ]
    path = beside[0] if beside else home.recordings / f"{asset.folder}.manifest.json"
    try:
        return _drawn(path, path.stat().st_mtime_ns)
    except OSError:
        return None


@functools.lru_cache(maxsize=32)
def _drawn(path: Path, _version: int) -> strips.Strip | None:
    manifest = files.read_json(path)
    return strips.draw(manifest) if isinstance(manifest, dict) else None


def _files(request: HttpRequest) -> Mapping[str, Any]:
    return {"asset": _asset(request)}


def _work(request: HttpRequest) -> Mapping[str, Any]:
    asset = _asset(request)
    jobs = farm.jobs(subject=f"asset:{asset.id}", limit=1)
    return {"asset": asset, "detail": farm.job(jobs[0].id) if jobs else None}


def _delivery(request: HttpRequest) -> Mapping[str, Any]:
    asset = _asset(request)
    return {"asset": asset, "deliveries": deliveries.of_set(current.loaded().home, f"asset:{asset.id}")}


def _events(request: HttpRequest) -> Mapping[str, Any]:
    asset = _asset(request)
    return {"entries": log.recent(subject=f"asset:{asset.id}", limit=50)}


def _table(asset_id: int) -> dict[str, rendering.Part]:
    own = f"asset:{asset_id}"
    return {
        "journey": rendering.Part("Journey", "web/recording/journey.html", own, _journey),
        "player": rendering.Part("Player", "web/recording/player.html", own, _player),
        "quality": rendering.Part("Quality", "web/recording/quality.html", own, _quality),
        "work": rendering.Part("Processing", "web/recording/work.html", f"{own} job farm", _work),
        "files": rendering.Part("Files", "web/recording/files.html", own, _files),
        "delivery": rendering.Part("Delivery", "web/recording/delivery.html", f"{own} transfer:{own}", _delivery),
        "events": rendering.Part("Events", "web/recording/events.html", own, _events),
    }


@require_safe
@rendering.explained
def page(request: HttpRequest, asset_id: int) -> HttpResponse:
    """The whole page."""
    asset = queries.asset(asset_id)
    parts = rendering.parts(request, _table(asset_id), base=f"/recordings/{asset_id}")
    can_process = states.ASSET.allows(asset.state, states.AssetState.PROCESSING)
    return rendering.page(request, "web/recording/page.html", asset=asset, parts=parts, can_process=can_process)


@require_safe
@rendering.explained
def part(request: HttpRequest, asset_id: int, name: str) -> HttpResponse:
    """A part of the page."""
    return rendering.part(request, _table(asset_id), name)


@require_POST
@rendering.explained
def process(request: HttpRequest, asset_id: int) -> HttpResponse:
    """Process it again."""
    actor = rendering.actor(request)
    back = f"/recordings/{asset_id}"
    asset = queries.get_asset(asset_id)
    try:
        actions.process_again(asset=asset, actor=actor)
    except errors.NephosError as error:
        return rendering.refused(request, back, error)
    return rendering.done(request, back, f"{asset.title} is processed again.")
