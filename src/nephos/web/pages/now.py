"""Now: what records, what is next, what failed, is there space and time, is everything alive?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_POST, require_safe

from nephos.lib import clock, errors
from nephos.library import queries as library
from nephos.library.queries import AssetView, FileView
from nephos.library.states import AssetState
from nephos.monitoring import queries as problems
from nephos.recording import queries, services
from nephos.recording.models import Booking
from nephos.recording.queries import BookingView
from nephos.recording.states import BookingState
from nephos.sync import queries as transfers
from nephos.sync.states import PathState
from nephos.web import current, pulse, rendering

_NEXT = 6
_MADE = 4
_REMEMBERED = timedelta(days=3)  # what failed longer ago is found among the recordings
_EXTENSION = "10m"


@dataclass(frozen=True, slots=True)
class Running:
    """A booking that is on the air, and what the recorder hears of it."""

    booking: BookingView
    receiver: pulse.Receiver | None
    percent: int

    @property
    def state(self) -> str:
        if self.receiver is not None:
            return self.receiver.state
        return "recording" if self.booking.state == BookingState.RECORDING else "waiting"


@dataclass(frozen=True, slots=True)
class Failure:
    """Something that waits for a person."""

    title: str
    state: str
    reason: str
    address: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Made:
    """A finished asset and its picture."""

    asset: AssetView
    picture: FileView | None


def _recording(_request: HttpRequest) -> Mapping[str, Any]:
    now = clock.now()
    heard = {number: one for one in pulse.receivers(current.loaded()) for number in one.bookings}
    running = [
        Running(booking, heard.get(booking.id), _percent(booking))
        for booking in queries.bookings(upcoming=True, limit=50)
        if booking.from_at <= now and (booking.state == BookingState.RECORDING or now < booking.to_at)
    ]
    return {"running": running, "extension": _EXTENSION}


def _percent(booking: BookingView) -> int:
    length = (booking.to_at - booking.from_at).total_seconds()
    return round(100 * min(1.0, max(0.0, (clock.now() - booking.from_at).total_seconds() / length)))


def _next(_request: HttpRequest) -> Mapping[str, Any]:
    now = clock.now()
    planned = [one for one in queries.bookings(upcoming=True, limit=50 + _NEXT) if one.from_at > now]
    return {"bookings": planned[:_NEXT]}


def _failed(_request: HttpRequest) -> Mapping[str, Any]:
    since = clock.now() - _REMEMBERED
    assets = [
        *library.assets(state=AssetState.FAILED, limit=10),
        *(one for one in library.assets(state=AssetState.EMPTY, limit=10) if one.created_at > since),
    ]
    found = [Failure(one.title, one.state, one.reason, f"/recordings/{one.id}", one.state_at) for one in assets]
    missed = (one for one in queries.bookings(state=BookingState.MISSED, limit=10) if one.starts_at > since)
    found += [Failure(one.title, one.state, one.reason, "/schedules", one.starts_at) for one in missed]
    held = transfers.transfers(current.loaded().home, transfers.Choice(state=PathState.HELD), limit=10)
    found += [
        Failure(
            f"{one.path.rsplit('/', 1)[-1]} to {one.destination}", one.state, one.cause, _place_of(one), one.changed_at
        )
        for one in held
    ]
    # Held files are shown one by one above; of a problem that nobody wants to hear of nothing is shown here.
    wrong = [one for one in problems.problems(limit=20) if not one.is_muted and one.kind != "delivery.held"]
    found += [Failure(one.sentence, one.weight, one.reason, "/problems", one.opened_at) for one in wrong]
    return {"failures": sorted(found, key=lambda one: one.at, reverse=True)}


def _place_of(transfer: transfers.Transfer) -> str:
    kind, _, number = transfer.set.partition(":")
    return f"/recordings/{number}" if kind == "asset" and number.isdigit() else "/system"


def _space(_request: HttpRequest) -> Mapping[str, Any]:
    loaded = current.loaded()
    rate = sum(receiver.bytes_per_second for receiver in pulse.receivers(loaded))
    return {"volume": pulse.disk(loaded, bytes_per_second=rate)}


def _roles(_request: HttpRequest) -> Mapping[str, Any]:
    return {"roles": pulse.roles(current.loaded())}


def _made(_request: HttpRequest) -> Mapping[str, Any]:
    found = [
        *library.assets(state=AssetState.DELIVERED, limit=_MADE),
        *library.assets(state=AssetState.PROCESSED, limit=_MADE),
        *library.assets(state=AssetState.DELIVERING, limit=_MADE),
    ]
    newest = sorted(found, key=lambda one: one.processed_at or one.created_at, reverse=True)[:_MADE]
    return {"made": [_with_picture(one.id) for one in newest]}


def _with_picture(asset_id: int) -> Made:
    asset = library.asset(asset_id)
    return Made(asset, next((file for file in asset.files if file.kind == "thumbnail"), None))


PARTS = {
    "recording": rendering.Part("Recording now", "web/now/recording.html", "booking recorder asset role", _recording),
    "next": rendering.Part("Next", "web/now/next.html", "booking schedule", _next),
    "failed": rendering.Part("Failed", "web/now/failed.html", "asset booking transfer problem", _failed),
    "space": rendering.Part("Space", "web/now/space.html", "recorder asset", _space),
    "roles": rendering.Part("Roles", "web/now/roles.html", "role keeper", _roles),
    "made": rendering.Part("Last made", "web/now/made.html", "asset", _made),
}


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """The whole page."""
    return rendering.page(request, "web/now/page.html", parts=rendering.parts(request, PARTS, base="/now"))


@require_safe
def part(request: HttpRequest, name: str) -> HttpResponse:
    """A part of the page."""
    return rendering.part(request, PARTS, name)


def _stop(booking: Booking, actor: str) -> str:
    services.stop(booking=booking, actor=actor)
    return f"{booking.title} stops; what was recorded is kept."


def _skip(booking: Booking, actor: str) -> str:
    services.skip(booking=booking, actor=actor)
    return f"{booking.title} is skipped this time."


def _extend(booking: Booking, actor: str) -> str:
    services.extend(booking=booking, by=_EXTENSION, actor=actor)
    return f"{booking.title} lasts {_EXTENSION} longer."


_VERBS: Mapping[str, Callable[[Booking, str], str]] = {"stop": _stop, "skip": _skip, "extend": _extend}


@require_POST
@rendering.explained
def steer(request: HttpRequest, booking_id: int, verb: str) -> HttpResponse:
    """Stop, skip or extend a booking."""
    actor = rendering.actor(request)
    if verb not in _VERBS:
        raise Http404("A booking cannot do that.")
    back = rendering.back(request, "/")
    try:
        sentence = _VERBS[verb](queries.get_booking(booking_id), actor)
    except errors.NephosError as error:
        return rendering.refused(request, back, error)
    return rendering.done(request, back, sentence)
