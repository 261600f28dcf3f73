"""System: is everything alive, is there space, what does the station need from its machine?"""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from typing import Any

import django
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST, require_safe

from nephos.config import schema
from nephos.lib import errors, text
from nephos.maintenance import catalogue, doctor
from nephos.sync import queries as transfers
from nephos.sync.states import PathState
from nephos.web import current, pulse, rendering

PATH = "/system"
_STATES = {doctor.State.OK: "good", doctor.State.WARN: "warn", doctor.State.FAIL: "failed"}


@dataclass(frozen=True, slots=True)
class Fact:
    """A name and its value."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class CheckRow:
    """A check of the doctor in the state language."""

    name: str
    state: str
    sentence: str
    hint: str


@dataclass(frozen=True, slots=True)
class ConnectionRow:
    """A destination, the connection below it and the watches that feed it."""

    destination: str
    kind: str
    base: str
    watches: list[str]
    delivered: int
    open: int
    held: int
    is_paused: bool


def _roles(_request: HttpRequest) -> Mapping[str, Any]:
    return {"roles": pulse.roles(current.loaded())}


def _space(_request: HttpRequest) -> Mapping[str, Any]:
    loaded = current.loaded()
    rate = sum(receiver.bytes_per_second for receiver in pulse.receivers(loaded))
    return {"volumes": pulse.volumes(loaded, bytes_per_second=rate)}


def _about(_request: HttpRequest) -> Mapping[str, Any]:
    loaded = current.loaded()
    facts = [
        Fact("Nephos", metadata.version("nephos-station")),
        Fact("Home", str(loaded.home.root)),
        Fact("Database", _database()),
        Fact("Python", platform.python_version()),
        Fact("Django", django.get_version()),
        Fact("Machine", f"{platform.node()}, {platform.system()} {platform.release()}"),
    ]
    return {"facts": facts}


def _database() -> str:
    if connection.vendor == "sqlite":
        return f"SQLite, {connection.settings_dict['NAME']}"
    host = connection.settings_dict.get("HOST") or "this machine"
    return f"PostgreSQL {connection.settings_dict['NAME']} on {host}"


def _checks(_request: HttpRequest) -> Mapping[str, Any]:
    found = doctor.examine(current.loaded().home.root)
    order = {"failed": 0, "warn": 1, "good": 2}
    rows = [CheckRow(one.name, _STATES[one.state], one.sentence, one.hint) for one in found]
    return {"checks": sorted(rows, key=lambda row: order[row.state])}


def _connections(_request: HttpRequest) -> Mapping[str, Any]:
    loaded = current.loaded()
    told = transfers.watches(loaded.home)
    return {"rows": [_connection(name, loaded.settings, told) for name in loaded.settings.destination]}


def _connection(name: str, settings: schema.Settings, told: list[transfers.WatchStatus]) -> ConnectionRow:
    destination = settings.destination[name]
    own = [status for status in told if status.destination == name]
    counted: Counter[PathState] = sum((Counter(status.paths) for status in own), Counter())
    delivered, held = counted[PathState.DELIVERED], counted[PathState.HELD]
    return ConnectionRow(
        destination=name,
        kind=settings.connection[destination.connection].kind,
        base=destination.base,
        watches=[watch for watch, wanted in settings.watch.items() if name in wanted.destinations],
        delivered=delivered,
        open=counted.total() - delivered - held,
        held=held,
        is_paused=any(status.paused for status in own),
    )


def _watched(_request: HttpRequest) -> Mapping[str, Any]:
    return {"rows": catalogue.checks(current.loaded())}


PARTS = {
    "roles": rendering.Part("Roles", "web/system/roles.html", "role keeper", _roles),
    "space": rendering.Part("Space", "web/system/space.html", "recorder asset", _space),
    "connections": rendering.Part("Destinations", "web/system/connections.html", "settings transfer", _connections),
    "watched": rendering.Part("Looked after", "web/system/watched.html", "settings", _watched),
    "about": rendering.Part("About", "web/system/about.html", "role", _about),
}
# The doctor asks ffmpeg and the disk, which takes a moment: it comes when the page is already there.
LATER = {"checks": rendering.Part("Checks", "web/system/checks.html", "role", _checks)}


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """The whole page."""
    parts = rendering.parts(request, PARTS, base=PATH)
    return rendering.page(request, "web/system/page.html", parts=parts)


@require_safe
def part(request: HttpRequest, name: str) -> HttpResponse:
    """A part of the page."""
    return rendering.part(request, {**PARTS, **LATER}, name)


@require_POST
@rendering.explained
def run(request: HttpRequest, check: str) -> HttpResponse:
    """Let the keeper look at something now."""
    rendering.actor(request)
    try:
        made = catalogue.run(check, current.loaded())
    except errors.NephosError as error:
        return rendering.refused(request, PATH, error)
    if made.error:
        return rendering.refused(request, PATH, errors.NephosError(f"The check {check} failed: {made.error}"))
    number = text.count(len(made.problems), "problem")
    return rendering.done(request, PATH, f"The check {check} took {made.seconds:.1f} s; {number} of its kind open.")
