"""Delivery: what goes where, how far it is, why it waits; pause, go on, try again, take deletions back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_POST, require_safe

from nephos.lib import errors, heartbeats, ids
from nephos.sync import orders, queries
from nephos.sync.states import PathState
from nephos.web import current, rendering

PATH = "/delivery"
_MOST = 100
_UNDER_WAY = (PathState.SENDING, PathState.VERIFYING, PathState.HELD, PathState.WAITING, PathState.READY)
_VERBS = {
    "pause": (orders.Kind.PAUSE, "Nothing of it is sent for now."),
    "resume": (orders.Kind.RESUME, "It goes on."),
    "retry": (orders.Kind.RETRY, "It is tried again now."),
    "undo": (orders.Kind.UNDO, "Its deletions are taken back."),
}


@dataclass(frozen=True, slots=True)
class Place:
    """A destination as sync tells of it."""

    name: str
    state: str
    cause: str
    bytes_per_second: float
    next_try_at: str
    is_paused: bool


@dataclass(frozen=True, slots=True)
class Row:
    """A watch on one destination."""

    watch: str
    destination: str
    delivered: int
    open: int
    held: int
    bytes: int
    bytes_done: int
    is_paused: bool
    mirrors: bool


def _places(_request: HttpRequest) -> Mapping[str, Any]:
    loaded = current.loaded()
    told = queries.watches(loaded.home)
    beat = (heartbeats.read(loaded.home.run, "sync") or {}).get("details") or {}
    known = {str(one.get("name")): one for one in beat.get("destinations", [])}
    rows = []
    for name in loaded.settings.destination:
        one, own = known.get(name, {}), [status for status in told if status.destination == name]
        paused = bool(own) and all(status.paused for status in own)
        state = "paused" if paused else str(one.get("state") or "ready")
        rate, again = float(one.get("bytes_per_second") or 0), str(one.get("next_try_at") or "")
        rows.append(Place(name, state, str(one.get("cause") or ""), rate, again, paused))
    return {"rows": rows}


def _watches(_request: HttpRequest) -> Mapping[str, Any]:
    loaded = current.loaded()
    return {"rows": [_row(status, loaded.settings.watch) for status in queries.watches(loaded.home)]}


def _row(status: queries.WatchStatus, watches: Mapping[str, Any]) -> Row:
    delivered, held = status.paths.get(PathState.DELIVERED, 0), status.paths.get(PathState.HELD, 0)
    watch = watches.get(status.watch)
    return Row(
        watch=status.watch,
        destination=status.destination,
        delivered=delivered,
        open=sum(status.paths.values()) - delivered - held,
        held=held,
        bytes=status.bytes,
        bytes_done=status.bytes_done,
        is_paused=status.paused,
        mirrors=watch is not None and watch.mode == "mirror",
    )


def _transfers(_request: HttpRequest) -> Mapping[str, Any]:
    home = current.loaded().home
    found = [row for state in _UNDER_WAY for row in queries.transfers(home, queries.Choice(state=state), limit=_MOST)]
    return {"transfers": found[:_MOST], "is_cut": len(found) > _MOST}


def _recalls(_request: HttpRequest) -> Mapping[str, Any]:
    return {"recalls": queries.recalls(current.loaded().home, limit=30)}


PARTS = {
    "places": rendering.Part("Destinations", "web/delivery/places.html", "sync settings transfer", _places),
    "watches": rendering.Part("Watches", "web/delivery/watches.html", "transfer settings sync", _watches),
    "transfers": rendering.Part("On the way", "web/delivery/transfers.html", "transfer sync", _transfers),
    "recalls": rendering.Part("Read back", "web/delivery/recalls.html", "sync", _recalls),
}


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """The whole page."""
    return rendering.page(request, "web/delivery/page.html", parts=rendering.parts(request, PARTS, base=PATH))


@require_safe
def part(request: HttpRequest, name: str) -> HttpResponse:
    """A part of the page."""
    return rendering.part(request, PARTS, name)


@require_POST
@rendering.explained
def steer(request: HttpRequest, verb: str) -> HttpResponse:
    """Order something of a watch, a destination, a transfer, or of everything."""
    rendering.actor(request)
    if verb not in _VERBS:
        raise Http404("There is no such action.")
    kind, sentence = _VERBS[verb]
    loaded = current.loaded()
    body = {key: request.POST[key] for key in ("watch", "destination") if request.POST.get(key)}
    known = {"watch": list(loaded.settings.watch), "destination": list(loaded.settings.destination)}
    for key, name in body.items():
        if name not in known[key]:
            raise errors.NotFound(f"There is no {key} {name[:60]!r}.")
    if verb == "undo" and "watch" not in body:
        raise errors.Invalid("Deletions are taken back for one watch at a time.")
    transfer = request.POST.get("transfer", "")
    whole: dict[str, Any] = body | ({"transfer": int(transfer)} if transfer.isdecimal() and len(transfer) < 18 else {})
    orders.put(loaded.home, key=f"{kind}:{ids.new()}", kind=kind, body=whole)
    return rendering.done(request, rendering.back(request, PATH), sentence)
