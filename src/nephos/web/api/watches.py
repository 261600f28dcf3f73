"""Watches and what they deliver: tables of the settings file, the sync journal, its orders."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Field, Query, Router, Schema
from ninja.responses import Status

from nephos.config import edit
from nephos.lib import errors, ids
from nephos.sync import mappings, orders, queries
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
    enabled: bool
    paused: bool
    progress: list[queries.WatchStatus]


@dataclass(frozen=True, slots=True)
class OrderView:
    """What was asked of the sync engine, which decides what comes of it."""

    order: str
    watch: str
    path: str = ""


class WatchIn(Schema, extra="forbid"):
    """A new watch: a folder, or the sets that the station hands over."""

    name: str
    destinations: Annotated[list[str], Field(min_length=1)]
    folder: str = ""
    sets: bool = False
    pipeline: str = ""
    settle_seconds: Annotated[float, Field(ge=0, le=86400)] | None = None
    ignore: list[str] = []
    enabled: bool = True


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
    values: dict[str, Any] = body.dict(exclude={"name"}, exclude_defaults=True)
    if body.folder:
        values["folder"] = _folder(body.folder)
    edit.set_table(loaded.home, "watch", name, values, check=mappings.check)
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


@router.get("/watches/{name}/plan", auth=doors.READ, response=list[queries.Transfer])
def plan(request: HttpRequest, name: str) -> list[queries.Transfer]:
    """What is not delivered yet."""
    _watch(name)
    home = current.loaded().home
    open_states = [state for state in PathState if state is not PathState.DELIVERED]
    return [row for state in open_states for row in queries.transfers(home, queries.Choice(watch=name, state=state))]


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


@router.post("/transfers/{id}/retry", auth=doors.OPERATE, response=OrderView)
def retry(request: HttpRequest, id: str) -> OrderView:
    """Try a held or waiting path again now."""
    home = current.loaded().home
    found = queries.transfer(home, int(id)) if id.isascii() and id.isdigit() and len(id) < 18 else None
    if found is None:
        raise errors.NotFound(f"There is no transfer {id[:40]!r}.", hint="`nephos transfer list` shows them.")
    body = {"transfer": found.id}  # by its row: the path that is shown may not be the one on the disk
    orders.put(home, key=f"retry:{ids.new()}", kind=orders.Kind.RETRY, body=body)
    return OrderView("retry", found.watch, found.path)


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


def _order(kind: orders.Kind, watch: str) -> OrderView:
    _watch(watch)
    orders.put(current.loaded().home, key=f"{kind}:{ids.new()}", kind=kind, body={"watch": watch})
    return OrderView(str(kind), watch)


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
        enabled=found.enabled,
        paused=bool(progress) and all(status.paused for status in progress),
        progress=progress,
    )
