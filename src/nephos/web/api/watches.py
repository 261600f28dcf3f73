"""Watches and what they deliver: tables of the settings file, the sync journal, its orders."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Field, Query, Router, Schema
from ninja.responses import Status

from nephos.config import edit
from nephos.lib import errors, ids
from nephos.sync import dryrun, mappings, names, orders, patterns, queries
from nephos.sync.states import PathState
from nephos.web import current
from nephos.web.api import connections, doors

router = Router(tags=["delivery"])


@dataclass(frozen=True, slots=True)
class WatchView:
    """A mapping that is kept delivered, and how far it is on each destination."""

    name: str
    source: str
    folder: str
    sets: bool
    destinations: list[str]
    pipeline: str
    settle_seconds: float | None
    ignore: list[str]
    mode: str
    priority: int
    grow: bool
    enabled: bool
    paused: bool
    progress: list[queries.WatchStatus]


@dataclass(frozen=True, slots=True)
class OrderView:
    """What was asked of the sync engine, which decides what comes of it."""

    order: str
    watch: str
    path: str = ""


@dataclass(frozen=True, slots=True)
class TransferView:
    """A path on its destination, and the tries that did not end well."""

    transfer: queries.Transfer
    attempts: list[queries.Attempt]


@dataclass(frozen=True, slots=True)
class PlanView:
    """How many files would be sent, moved, deleted, held or left here, and the first of them."""

    watch: str
    counts: dict[str, int]
    bytes_to_send: int
    delivered: int
    files: list[dryrun.Planned]


class VerifyIn(Schema, extra="forbid"):
    """What is to be looked at again; nothing named means everything."""

    watch: str = ""
    destination: str = ""
    transfer: int = 0


class WatchIn(Schema, extra="forbid"):
    """A new watch: a folder, or the sets that the station hands over."""

    name: str
    destinations: Annotated[list[str], Field(min_length=1)]
    folder: str = ""
    sets: bool = False
    pipeline: str = ""
    settle_seconds: Annotated[float, Field(ge=0, le=86400)] | None = None
    ignore: list[str] = []
    mode: Literal["keep", "mirror"] = "keep"
    grace_seconds: Annotated[float, Field(ge=0, le=31_536_000)] = 300
    most_deletions: Annotated[int, Field(ge=0)] = 100
    undo_days: Annotated[float, Field(ge=0, le=3650)] = 7
    priority: Annotated[int, Field(ge=-100, le=100)] = 0
    processes: list[str] = []
    grow: bool = False
    enabled: bool = True
    skipped: list[Literal["settle_seconds", "ignore", "mode", "priority", "grow"]] = []  # asked for and left open


@dataclass(frozen=True, slots=True)
class IgnoredView:
    """A pattern of names that is left alone by default."""

    pattern: str
    because: str


class PathsIn(Schema, extra="forbid"):
    """Paths below the watched folder; none means all."""

    paths: list[str] = []


class RestoreIn(PathsIn):
    """What is to be brought back, and into which folder of the station."""

    to: str
    destination: str = ""


@router.get("/ignored-names", auth=doors.READ, response=list[IgnoredView])
def ignored(request: HttpRequest) -> list[IgnoredView]:
    """Names that watches leave alone by default."""
    return [IgnoredView(pattern, because) for pattern, because in patterns.DEFAULT.items()]


@router.get("/watches", auth=doors.READ, response=list[WatchView])
def list_(request: HttpRequest) -> list[WatchView]:
    """All watches."""
    return [_watch(name) for name in current.loaded().settings.watch]


@router.post("/watches", auth=doors.ADMIN, response={201: WatchView})
def add(request: HttpRequest, body: WatchIn) -> Status[WatchView]:
    """Add a watch."""
    loaded = current.loaded()
    name = connections.new_name(body.name, loaded.settings.watch, "watch")
    if bool(body.folder) == body.sets:
        raise errors.Invalid("A watch has exactly one source.", hint="--folder FOLDER, or --sets.")
    for destination in body.destinations:
        if destination not in loaded.settings.destination:
            known = ", ".join(loaded.settings.destination) or "none yet"
            raise errors.Invalid(f"There is no destination {destination[:60]!r}.", hint=f"There are: {known}.")
    values: dict[str, Any] = body.dict(exclude={"name", "skipped"}, exclude_defaults=True)
    if body.folder:
        values["folder"] = _folder(body.folder)
    left = [key for key in body.skipped if key not in values]
    edit.set_table(loaded.home, "watch", name, values, check=mappings.check, skipped=left)
    return Status(201, _watch(name))


@router.get("/watches/{name}", auth=doors.READ, response=WatchView)
def show(request: HttpRequest, name: str) -> WatchView:
    """A watch and how far it is."""
    return _watch(name)


@router.delete("/watches/{name}", auth=doors.ADMIN, response={204: None})
def remove(request: HttpRequest, name: str) -> Status[None]:
    """Remove a watch; what was delivered stays."""
    _watch(name)
    edit.remove(current.loaded().home, f"watch.{name}")
    return Status(204, None)


@router.get("/watches/{name}/plan", auth=doors.READ, response=PlanView)
def plan(request: HttpRequest, name: str, limit: Annotated[int, Query(ge=0, le=100_000)] = 1000) -> PlanView:
    """What it would do with what lies in its folder now, and why; changes nothing."""
    _watch(name)
    loaded = current.loaded()
    found = dryrun.plan(loaded.home, loaded.settings, name, limit=limit)
    return PlanView(name, dict(found.counts), found.bytes_to_send, found.delivered, found.files)


@router.post("/watches/{name}/pause", auth=doors.OPERATE, response=OrderView)
def pause(request: HttpRequest, name: str) -> OrderView:
    """Send nothing of it for now."""
    return _order(orders.Kind.PAUSE, name)


@router.post("/watches/{name}/resume", auth=doors.OPERATE, response=OrderView)
def resume(request: HttpRequest, name: str) -> OrderView:
    """Send again."""
    return _order(orders.Kind.RESUME, name)


@router.post("/watches/{name}/rescan", auth=doors.OPERATE, response=OrderView)
def rescan(request: HttpRequest, name: str) -> OrderView:
    """Look at every file again."""
    return _order(orders.Kind.RESCAN, name)


@router.post("/watches/{name}/undo", auth=doors.OPERATE, response=list[OrderView])
def undo(request: HttpRequest, name: str, body: PathsIn) -> list[OrderView]:
    """Take deletions back: those that wait are forgotten, those that were made are undone at the destination."""
    return [_order(orders.Kind.UNDO, name, path=path) for path in body.paths or [""]]


@router.post("/watches/{name}/approve", auth=doors.OPERATE, response=list[OrderView])
def approve(request: HttpRequest, name: str, body: PathsIn) -> list[OrderView]:
    """Let deletions go that are held because they are many."""
    return [_order(orders.Kind.APPROVE, name, path=path) for path in body.paths or [""]]


@router.post("/watches/{name}/reset", auth=doors.ADMIN, response=OrderView)
def reset(request: HttpRequest, name: str) -> OrderView:
    """Trust the folder as it is now, whatever disk it is on."""
    return _order(orders.Kind.RESET, name)


@router.post("/watches/{name}/restore", auth=doors.ADMIN, response=OrderView)
def restore(request: HttpRequest, name: str, body: RestoreIn) -> OrderView:
    """Bring delivered files back into a folder; nothing that is there is replaced."""
    to = Path(body.to).expanduser()
    if not to.is_absolute() or not body.to.isprintable():
        raise errors.Invalid(f"{body.to[:80]!r} is no absolute path of a folder.")
    for path in body.paths:
        if names.refusal(path.strip("/")):
            raise errors.Invalid(names.refusal(path.strip("/")))
    return _order(orders.Kind.RESTORE, name, paths=body.paths, to=str(to), destination=body.destination)


@router.get("/recalls", auth=doors.READ, response=list[queries.Recall])
def list_recalls(
    request: HttpRequest,
    watch: str = "",
    kind: str = "",
    limit: Annotated[int, Query(ge=1, le=10_000)] = 200,
) -> list[queries.Recall]:
    """What is read back from destinations, to restore or to verify it."""
    return queries.recalls(current.loaded().home, watch=watch, kind=kind, limit=limit)


@router.get("/transfers", auth=doors.READ, response=list[queries.Transfer])
def list_transfers(
    request: HttpRequest,
    watch: str = "",
    destination: str = "",
    state: str = "",
    limit: Annotated[int, Query(ge=1, le=10_000)] = 200,
) -> list[queries.Transfer]:
    """Paths on their destinations, newest change first."""
    if state and state not in list(PathState):
        raise errors.Invalid(f"{state[:40]!r} is no state of a path.", hint=f"One of {', '.join(PathState)}.")
    return queries.transfers(current.loaded().home, queries.Choice(watch, destination, state), limit=limit)


@router.post("/transfers/pause", auth=doors.OPERATE, response=OrderView)
def pause_all(request: HttpRequest) -> OrderView:
    """Send nothing at all for now."""
    return _put(orders.Kind.PAUSE, {})


@router.post("/transfers/resume", auth=doors.OPERATE, response=OrderView)
def resume_all(request: HttpRequest) -> OrderView:
    """End every pause."""
    return _put(orders.Kind.RESUME, {})


@router.post("/transfers/verify", auth=doors.OPERATE, response=OrderView)
def verify(request: HttpRequest, body: VerifyIn) -> OrderView:
    """Read delivered files again and compare them with their receipts; what is wrong is sent anew."""
    return _put(orders.Kind.VERIFY, body.dict(exclude_defaults=True))


@router.post("/transfers/{id}/retry", auth=doors.OPERATE, response=OrderView)
def retry(request: HttpRequest, id: str) -> OrderView:
    """Try a held or waiting path again now."""
    return _order_of(orders.Kind.RETRY, _transfer(id))


@router.get("/transfers/{id}", auth=doors.READ, response=TransferView)
def show_transfer(request: HttpRequest, id: str) -> TransferView:
    """One path and what happened to it."""
    found = _transfer(id)
    return TransferView(found, queries.attempts(current.loaded().home, found.id))


@router.post("/transfers/{id}/pause", auth=doors.OPERATE, response=OrderView)
def pause_transfer(request: HttpRequest, id: str) -> OrderView:
    """Send nothing of this path for now."""
    return _order_of(orders.Kind.PAUSE, _transfer(id))


@router.post("/transfers/{id}/resume", auth=doors.OPERATE, response=OrderView)
def resume_transfer(request: HttpRequest, id: str) -> OrderView:
    """Send this path again."""
    return _order_of(orders.Kind.RESUME, _transfer(id))


@router.post("/destinations/{name}/pause", auth=doors.OPERATE, response=OrderView)
def pause_destination(request: HttpRequest, name: str) -> OrderView:
    """Send nothing there for now."""
    return _put(orders.Kind.PAUSE, {"destination": _known_destination(name)})


@router.post("/destinations/{name}/resume", auth=doors.OPERATE, response=OrderView)
def resume_destination(request: HttpRequest, name: str) -> OrderView:
    """Send there again."""
    return _put(orders.Kind.RESUME, {"destination": _known_destination(name)})


@router.get("/receipts", auth=doors.READ, response=list[queries.Receipt])
def list_receipts(
    request: HttpRequest,
    watch: str = "",
    destination: str = "",
    set: str = "",
    limit: Annotated[int, Query(ge=1, le=100_000)] = 1000,
) -> list[queries.Receipt]:
    """Proofs of what was delivered, newest first; `set` is an asset, as `asset:12`."""
    choice = queries.Choice(watch=watch, destination=destination, set_id=set)
    return queries.receipts(current.loaded().home, choice, limit=limit)


def _order(kind: orders.Kind, watch: str, **more: Any) -> OrderView:
    _watch(watch)
    return _put(kind, {"watch": watch, **more})


def _order_of(kind: orders.Kind, found: queries.Transfer) -> OrderView:
    """By its row: the path that is shown may not be the one on the disk."""
    _put(kind, {"transfer": found.id})
    return OrderView(str(kind), found.watch, found.path)


def _put(kind: orders.Kind, body: dict[str, Any]) -> OrderView:
    orders.put(current.loaded().home, key=f"{kind}:{ids.new()}", kind=kind, body=body)
    return OrderView(str(kind), str(body.get("watch", "")), str(body.get("path", "")))


def _transfer(id: str) -> queries.Transfer:
    home = current.loaded().home
    found = queries.transfer(home, int(id)) if id.isascii() and id.isdigit() and len(id) < 18 else None
    if found is None:
        raise errors.NotFound(f"There is no transfer {id[:40]!r}.", hint="`nephos transfer list` shows them.")
    return found


def _known_destination(name: str) -> str:
    if name not in current.loaded().settings.destination:
        raise errors.NotFound(f"There is no destination {name[:60]!r}.", hint="`nephos destination list` shows them.")
    return name


def _folder(text: str) -> str:
    path = Path(text).expanduser()
    if not path.is_absolute() or not text.isprintable():
        raise errors.Invalid(f"{text[:80]!r} is no absolute path of a folder.")
    if not path.is_dir():
        raise errors.Invalid(f"There is no folder {text[:200]!r}.", hint="Make it first.")
    return str(path)


def _watch(name: str) -> WatchView:
    loaded = current.loaded()
    found = loaded.settings.watch.get(name)
    if found is None:
        raise errors.NotFound(f"There is no watch {name[:60]!r}.", hint="`nephos watch list` shows them.")
    progress = [status for status in queries.watches(loaded.home) if status.watch == name]
    return WatchView(
        name=name,
        source=found.folder or "finished sets",
        folder=found.folder,
        sets=found.sets,
        destinations=list(found.destinations),
        pipeline=found.pipeline,
        settle_seconds=found.settle_seconds,
        ignore=list(found.ignore),
        mode=found.mode,
        priority=found.priority,
        grow=found.grow,
        enabled=found.enabled,
        paused=bool(progress) and all(status.paused for status in progress),
        progress=progress,
    )
