"""Carries out what retention plans: the proof is looked at again right before each deletion."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from nephos.config.load import Loaded
from nephos.core import errors as core_errors
from nephos.events import kinds, log
from nephos.lib import clock, files, text
from nephos.library import queries, services
from nephos.library.models import Asset, MediaFile
from nephos.library.states import AssetState, Door, Place
from nephos.maintenance import machine, retention
from nephos.sync import orders
from nephos.sync import queries as transfers

logger = logging.getLogger(__name__)

_STATES = (AssetState.DELIVERED, AssetState.FREED)
_MOST_RECEIPTS = 100_000
_AT_ONCE = 500


def check(loaded: Loaded) -> bool:
    """Free what the rules let go, oldest first; true if there may be more."""
    finish(loaded)
    prove(loaded)
    going = [verdict for verdict in reversed(plan(loaded)) if verdict.goes]
    for verdict in going[:_AT_ONCE]:
        free(verdict, loaded)
    return len(going) > _AT_ONCE


def plan(loaded: Loaded) -> list[retention.Verdict]:
    """What would go now and what would stay, with reasons. Changes nothing."""
    return _judge(_candidates(loaded), loaded)


def prove(loaded: Loaded) -> None:
    """Have that read back which would go if its destination had more to show than the word of the transport."""
    doubtful = {one.id: one for one in _candidates(loaded) if retention.unproven(one) and retention.unread(one)}
    if not doubtful:
        return
    trusting = (retention.as_if_read(one) for one in _candidates(loaded))
    for verdict in _judge(trusting, loaded):
        if verdict.goes and verdict.id in doubtful:
            for one in retention.unread(doubtful[verdict.id]):
                _order_reading(one, loaded)


def _order_reading(one: retention.Proven, loaded: Loaded) -> None:
    """At most once a day: what is not right is sent again by sync, and has a new receipt then."""
    today = clock.stamp(clock.now())[:10]
    body = {"watch": one.watch, "destination": one.destination, "path": one.name}
    key = f"prove:{one.watch}:{one.destination}:{one.name}:{today}"
    orders.put(loaded.home, key=key, kind=orders.Kind.VERIFY, body=body)


def _candidates(loaded: Loaded) -> Iterator[retention.Candidate]:
    rows = Asset.objects.filter(state=AssetState.DELIVERED).select_related("channel").prefetch_related("files")
    return (candidate(row, loaded) for row in rows.iterator(chunk_size=200))


def _judge(found: Iterable[retention.Candidate], loaded: Loaded) -> list[retention.Verdict]:
    chosen = loaded.settings.maintenance.retention
    room = retention.Room(machine.free_bytes(loaded.home.recordings), chosen.free_bytes)
    return retention.plan(found, settings=chosen, now=clock.now(), room=room)


def candidate(asset: Asset, loaded: Loaded) -> retention.Candidate:
    """An asset as the planner sees it."""
    here = [file for file in asset.files.all() if file.freed_at is None]
    return retention.Candidate(
        id=asset.pk,
        title=asset.title,
        group=asset.channel.name if asset.channel else asset.watch or asset.door,
        is_delivered=asset.state in _STATES,
        is_kept=asset.keep,
        delivered_at=asset.delivered_at,
        files=[retention.Held(_handed_over(asset, file), file.size_bytes, file.sha256) for file in here],
        receipts=_receipts(asset, loaded),
        wanted=_wanted(asset, loaded),
        is_elsewhere=asset.door == Door.FILE_SET or any(file.place == Place.ELSEWHERE for file in here),
    )


def _handed_over(asset: Asset, file: MediaFile) -> str:
    """The name that flow gives a file when it hands the set over."""
    return f"{asset.folder}/{PurePosixPath(file.path).name}"


def _receipts(asset: Asset, loaded: Loaded) -> list[retention.Proven]:
    found: dict[tuple[str, str, str], retention.Proven] = {}
    choice = transfers.Choice(set_id=services.subject(asset))
    for one in transfers.receipts(loaded.home, choice, limit=_MOST_RECEIPTS):  # newest first
        found.setdefault(
            (one.watch, one.destination, one.path),
            retention.Proven(one.watch, one.destination, one.path, one.bytes, one.sha256, one.proof),
        )
    return list(found.values())


def _wanted(asset: Asset, loaded: Loaded) -> dict[str, list[str]]:
    """The watches that it was handed to, with all the destinations they have now: one more is one more proof."""
    orders = log.recent(subject=services.subject(asset), kind=kinds.AssetDelivering.name, limit=1)
    names = str(orders[0].data["watches"]).split(", ") if orders else []
    known = loaded.settings.watch
    return {name: list(known[name].destinations) if name in known else [] for name in names}


def free(verdict: retention.Verdict, loaded: Loaded) -> bool:
    """Delete an asset's files here, if it may still be deleted; False if it may not any more."""
    asset = queries.get_asset(verdict.id)
    if asset.state != AssetState.DELIVERED or retention.unproven(candidate(asset, loaded)):
        logger.info("An asset stays after all", extra={"asset": asset.pk})
        return False
    going = [file for file in asset.files.all() if file.freed_at is None]
    event = kinds.AssetFreed(
        subject=services.subject(asset),
        title=asset.title,
        files=text.count(len(going), "file"),
        size=text.size(verdict.size_bytes),
        size_bytes=verdict.size_bytes,
        reason=f"{verdict.reason}.",
    )
    try:
        services.free(asset=asset, event=event)
    except (core_errors.ForbiddenMove, core_errors.StaleState):
        return False  # somebody processes it again at this moment
    _remove(going, asset, loaded)
    return True


def finish(loaded: Loaded) -> None:
    """After a crash between the word and the deed: remove what was left, if its proof still stands."""
    for asset in Asset.objects.filter(state=AssetState.FREED, files__freed_at=None).distinct():
        if not retention.unproven(candidate(asset, loaded)):
            _remove([file for file in asset.files.all() if file.freed_at is None], asset, loaded)


def _remove(going: Iterable[MediaFile], asset: Asset, loaded: Loaded) -> None:
    folders = set()
    for file in going:
        path = queries.locate(file, loaded.home)
        if not _is_ours(path, loaded):
            logger.error("A file outside our folders is not removed", extra={"asset": asset.pk, "path": str(path)})
            continue
        # Told first: whoever sees the file vanish, in a folder that is watched too, must know that this is no deletion.
        orders.put(loaded.home, key=f"freed:{file.pk}:{asset.runs}", kind=orders.Kind.FREED, body={"path": str(path)})
        path.unlink(missing_ok=True)
        if path.parent.is_dir():
            files.sync_folder(path.parent)
        services.note_freed(file=file)
        folders.add(path.parent)
    for folder in folders:
        _remove_if_empty(folder, loaded)


def _is_ours(path: Path, loaded: Loaded) -> bool:
    whole = Path(os.path.abspath(path))
    return any(whole.is_relative_to(folder) for folder in (loaded.home.recordings, loaded.home.processed))


def _remove_if_empty(folder: Path, loaded: Loaded) -> None:
    """Folders of results go with them; those of channels stay."""
    while folder.is_relative_to(loaded.home.processed) and len(folder.relative_to(loaded.home.processed).parts) > 1:
        try:
            folder.rmdir()
        except OSError:
            return  # something else lies there
        folder = folder.parent
