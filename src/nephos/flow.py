"""The journey: the one place that says what follows what.

A table from event to function, read with a durable cursor, at least once: every service called here may run twice.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path

from nephos.config.live import Live
from nephos.config.load import Loaded
from nephos.core import loops as core_loops
from nephos.events import kinds, log
from nephos.lib import errors, files
from nephos.library import naming, queries, services
from nephos.library.models import Asset
from nephos.library.states import AssetState, Door, Place
from nephos.processing import services as processing
from nephos.sync import orders

logger = logging.getLogger(__name__)

READER = "flow"
_TRIES = 5  # for faults that may pass; then the event is skipped with a notice, so that it cannot stop all others


def grow(entry: log.Entry, loaded: Loaded) -> None:
    """A recording is put together while it is on the air: watches that want it early send it behind the recorder."""
    asset = _asset(entry)
    path = Path(entry.data["path"])
    for watch in early_watches(loaded):
        orders.put(
            loaded.home,
            key=f"growing:{services.subject(asset)}:{watch}",
            kind="grow",
            body={
                "set": f"growing:{asset.pk}",
                "watch": watch,
                "files": [{"path": str(path), "name": f"{asset.folder}/{asset.stem}.ts"}],
                "expected_bytes": entry.data["expected_bytes"],
            },
        )


def complete(asset: Asset, loaded: Loaded) -> None:
    """The recording itself is delivered now; with what is made of it, it is handed over as a set later."""
    recorded = asset.files.filter(kind="recording").first()
    if recorded is None or asset.door != Door.RECORDING:
        return
    for watch in early_watches(loaded):
        name = f"{asset.folder}/{Path(recorded.path).name}"
        orders.put(
            loaded.home,
            key=f"grown:{services.subject(asset)}:{watch}",
            kind="set",
            body={
                "set": f"growing:{asset.pk}",
                "watch": watch,
                "files": [{"path": str(queries.locate(recorded, loaded.home)), "name": name}],
            },
        )


def early_watches(loaded: Loaded) -> list[str]:
    """Names of the enabled watches that deliver recordings while they are on the air."""
    return [name for name, watch in loaded.settings.watch.items() if watch.enabled and watch.sets and watch.grow]


def process(entry: log.Entry, loaded: Loaded) -> None:
    """An asset arrived: give it to its pipeline, or straight on when it has none."""
    asset = _asset(entry)
    if asset.state != AssetState.ARRIVED:
        return
    complete(asset, loaded)
    if not asset.pipeline:
        services.finish_processing(asset=asset)
        return
    try:
        processing.start(asset=asset, pipeline=asset.pipeline, loaded=loaded)
    except (errors.Invalid, errors.NotNow) as error:
        services.start_processing(asset=asset, pipeline=asset.pipeline)
        services.fail_processing(asset=asset, reason=error.message)
    else:
        services.start_processing(asset=asset, pipeline=asset.pipeline)


def collect(entry: log.Entry, loaded: Loaded) -> None:
    """A farm job ended: register what it made."""
    if not str(entry.data.get("for_subject", "")).startswith("asset:"):
        return
    asset = queries.get_asset(str(entry.data["for_subject"]).partition(":")[2])
    if asset.state != AssetState.PROCESSING:
        return
    if not entry.data["ok"]:
        services.fail_processing(asset=asset, reason=str(entry.data.get("reason", "")))
        return
    processing.register(job=entry.subject.partition(":")[2], loaded=loaded)
    services.finish_processing(asset=asset)


def hand_over(entry: log.Entry, loaded: Loaded) -> None:
    """An asset is processed: order its delivery by every watch that wants it."""
    asset = _asset(entry)
    watches = delivering_watches(asset, loaded)
    if asset.state != AssetState.PROCESSED or not watches:
        return
    members = [
        {"path": str(queries.locate(file, loaded.home)), "name": f"{asset.folder}/{Path(file.path).name}"}
        for file in asset.files.all()
    ]
    for watch in watches:
        orders.put(
            loaded.home,
            key=f"{services.subject(asset)}:{asset.runs}:{watch}",
            kind="set",
            body={"set": services.subject(asset), "watch": watch, "files": members},
        )
    services.start_delivery(asset=asset, watches=watches)


def delivering_watches(asset: Asset, loaded: Loaded) -> list[str]:
    """Names of the enabled watches that take this asset: its own, or those for sets."""
    return [
        name
        for name, watch in loaded.settings.watch.items()
        if watch.enabled and (name == asset.watch if asset.door == Door.FILE_SET else watch.sets)
    ]


def finish(entry: log.Entry, _loaded: Loaded) -> None:
    """A watch has receipts for a whole set: the asset is delivered when all its watches have."""
    if not entry.subject.startswith("asset:"):
        return
    asset = _asset(entry)
    if asset.state != AssetState.DELIVERING:
        return
    story = log.recent(subject=entry.subject, limit=1000)
    ordered = next(e for e in story if e.kind == kinds.AssetDelivering.name)
    wanted = set(str(ordered.data["watches"]).split(", "))
    done = {str(e.data["watch"]) for e in story if e.kind == entry.kind and e.id > ordered.id}
    # The hand-over is ordered before the state says so: a quick delivery may be older than that event.
    done.add(str(entry.data["watch"]))
    if wanted <= done:
        services.finish_delivery(asset=asset)


def refuse(entry: log.Entry, _loaded: Loaded) -> None:
    """A watch does not take a set that was handed to it."""
    if not entry.subject.startswith("asset:"):
        return
    asset = _asset(entry)
    if asset.state == AssetState.DELIVERING:
        services.refuse_delivery(asset=asset, reason=str(entry.data["reason"]))


def take_in(entry: log.Entry, loaded: Loaded) -> None:
    """Files settled in a folder whose watch names a pipeline: they become an asset."""
    watch = str(entry.data["watch"])
    settings = loaded.settings.watch.get(watch)
    if settings is None:
        return
    stem = naming.file_name(str(entry.data["stem"]))
    asset = services.begin_fileset(
        key=f"file-set:{entry.uid or entry.id}", title=stem, watch=watch, stem=stem, pipeline=settings.pipeline
    )
    for path in map(Path, entry.data["files"]):
        services.add_file(
            asset=asset,
            kind="source",
            place=Place.ELSEWHERE,
            path=str(path),
            size_bytes=path.stat().st_size,
            sha256=files.sha256(path),
        )
    services.arrive(asset=asset)


def _asset(entry: log.Entry) -> Asset:
    return queries.get_asset(entry.subject.partition(":")[2])


FOLLOWS: Mapping[str, Callable[[log.Entry, Loaded], None]] = {
    "fileset.settled": take_in,
    "asset.growing": grow,
    "asset.arrived": process,
    "job.finished": collect,
    "asset.processed": hand_over,
    "set.delivered": finish,
    "set.refused": refuse,
}


class FlowLoop:
    """Reads the log and does what follows."""

    name = "flow"
    idle = timedelta(seconds=0.25)
    rest = timedelta(seconds=5)

    def __init__(self, live: Live) -> None:
        self._live = live
        self._failures = 0

    def step(self) -> bool:
        """Deal with the next events. Raises what a follower raised, until its tries are over."""
        entries = log.unread(READER)
        loaded = self._live.current()
        for entry in entries:
            follower = FOLLOWS.get(entry.kind)
            if follower is not None:
                self._follow(follower, entry, loaded)
            log.tick_off(READER, upto=entry.id)
            self._failures = 0
        return bool(entries)

    def _follow(self, follower: Callable[[log.Entry, Loaded], None], entry: log.Entry, loaded: Loaded) -> None:
        try:
            follower(entry, loaded)
        except (errors.NephosError, OSError, LookupError, ValueError) as error:
            self._failures += 1
            lasting = isinstance(error, errors.NephosError) and error.permanent
            if not lasting and self._failures < _TRIES:
                raise
            logger.exception("An event is skipped", extra={"event": entry.id, "kind": entry.kind})
            log.emit(
                kinds.FlowSkipped(subject=entry.subject, event=entry.kind, reason=str(error)),
                uid=f"flow-skipped:{entry.id}",
            )


def loops(loaded: Loaded) -> list[core_loops.Loop]:
    """The keeper's part of this module."""
    return [FlowLoop(Live(loaded))]
