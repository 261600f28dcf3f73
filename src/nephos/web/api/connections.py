"""Connections and destinations: tables of the settings file, which people edit by hand as well."""

from __future__ import annotations

import contextlib
import dataclasses
from dataclasses import asdict, dataclass
from typing import Literal

import msgspec
from django.http import HttpRequest
from ninja import Router, Schema
from ninja.responses import Status

from nephos.config import edit, schema
from nephos.config.errors import ConfigError
from nephos.lib import errors
from nephos.library import errors as library_errors
from nephos.sync import mappings
from nephos.sync.connections import options, registry
from nephos.web import access, current, roles
from nephos.web.api import doors

router = Router(tags=["delivery"])

Plain = str | bool | int | float


@dataclass(frozen=True, slots=True)
class ConnectionView:
    """A configured connection. Keys are references (`env:NAME`), so there is nothing to hide."""

    name: str
    kind: str
    options: dict[str, Plain]
    destinations: list[str]


@dataclass(frozen=True, slots=True)
class DestinationView:
    """A connection and the base path below it."""

    name: str
    connection: str
    kind: str
    base: str
    verify: str
    watches: list[str]


@dataclass(frozen=True, slots=True)
class TestView:
    """What trying it came to."""

    name: str
    works: bool
    reason: str
    capabilities: list[str]


class ConnectionIn(Schema, extra="forbid"):
    """A new connection."""

    name: str
    kind: str
    options: dict[str, Plain] = {}
    skipped: list[str] = []  # options that a person was asked for and left open; they become comments


class DestinationIn(Schema, extra="forbid"):
    """A new destination."""

    name: str
    connection: str
    base: str = ""
    verify: Literal["auto", "read-back", "none"] = "auto"


@router.get("/connections", auth=doors.READ, response=list[ConnectionView])
def list_(request: HttpRequest) -> list[ConnectionView]:
    """All connections."""
    return [_connection(name) for name in current.loaded().settings.connection]


@router.post("/connections", auth=doors.ADMIN, response={201: ConnectionView})
def add(request: HttpRequest, body: ConnectionIn) -> Status[ConnectionView]:
    """Add a connection; its options are checked by its kind, and keys must be references."""
    loaded = current.loaded()
    name = new_name(body.name, loaded.settings.connection, "connection")
    kind = registry.kind_of(name, schema.Connection(kind=body.kind, options=body.options))
    open_ones = {key: "env:SKIPPED" for key in _known(body.skipped, kind.options, name=name)}
    options.decode(kind.options, {**open_ones, **body.options}, name=name)
    for key in ("access_key", "secret_key", "password", "passphrase"):
        _refuse_plain_secret(name, key, body.options.get(key))
    values: dict[str, edit.Plain] = {"kind": body.kind, "options": dict(body.options)}
    left = [key for key in body.skipped if key not in body.options]
    edit.set_table(loaded.home, "connection", name, values, check=mappings.check, skipped=left)
    return Status(201, _connection(name))


@router.delete("/connections/{name}", auth=doors.ADMIN, response={204: None})
def remove(request: HttpRequest, name: str) -> Status[None]:
    """Remove a connection that no destination uses."""
    found = _connection(name)
    if found.destinations:
        raise library_errors.StillNeeded(f"Connection {name} is used by {', '.join(found.destinations)}.")
    edit.remove(current.loaded().home, f"connection.{name}")
    return Status(204, None)


@router.post("/connections/{name}/test", auth=doors.OPERATE, response=TestView)
def try_out(request: HttpRequest, name: str, accept: str = "") -> TestView:
    """Open it on its first destination and try what is allowed there; `accept` trusts a server by its fingerprint."""
    found = _connection(name)
    if not found.destinations:
        hint = "nephos destination add NAME --connection " + name
        raise errors.NotNow(f"No destination uses the connection {name} yet, so there is no place to try.", hint=hint)
    try:
        loaded, place = current.loaded(), found.destinations[0]
        trusted = loaded.home.databases
        if accept:
            access.require(access.get_caller(request), roles.Scope.ADMIN)
            registry.accept_server(loaded.settings, place, folder=trusted, fingerprint=accept)
        opened = registry.open_destination(loaded.settings, place, folder=trusted, plugins=loaded.home.plugins)
        with contextlib.closing(opened):
            profile = opened.probe()
    except errors.NephosError as error:
        reason = f"{error.message} {error.hint}".strip().replace(" test NAME", f" test {name}")
        return TestView(name, works=False, reason=reason, capabilities=[])
    can = [key for key, value in asdict(opened.capabilities).items() if value]
    checks = ["checks_content"] if profile.checks_content else []
    return TestView(name, works=True, reason=profile.note or "It works.", capabilities=can + checks)


@router.get("/destinations", auth=doors.READ, response=list[DestinationView])
def list_destinations(request: HttpRequest) -> list[DestinationView]:
    """All destinations."""
    return [_destination(name) for name in current.loaded().settings.destination]


@router.post("/destinations", auth=doors.ADMIN, response={201: DestinationView})
def add_destination(request: HttpRequest, body: DestinationIn) -> Status[DestinationView]:
    """Add a destination; its base is checked by the connection's kind."""
    loaded = current.loaded()
    name = new_name(body.name, loaded.settings.destination, "destination")
    connection = loaded.settings.connection.get(body.connection)
    if connection is None:
        known = ", ".join(loaded.settings.connection) or "none yet"
        raise errors.Invalid(f"There is no connection {body.connection[:60]!r}.", hint=f"There are: {known}.")
    registry.kind_of(body.connection, connection).check(body.connection, connection.options, body.base)
    values = {"connection": body.connection, "base": body.base, "verify": body.verify}
    edit.set_table(loaded.home, "destination", name, values, check=mappings.check)
    return Status(201, _destination(name))


@router.delete("/destinations/{name}", auth=doors.ADMIN, response={204: None})
def remove_destination(request: HttpRequest, name: str) -> Status[None]:
    """Remove a destination that no watch uses; what was delivered stays."""
    found = _destination(name)
    if found.watches:
        raise library_errors.StillNeeded(f"Destination {name} is used by the watch {', '.join(found.watches)}.")
    edit.remove(current.loaded().home, f"destination.{name}")
    return Status(204, None)


def new_name(name: str, taken: object, what: str) -> str:
    """A name for a table of the settings. Raises Invalid or Taken."""
    try:
        clean = msgspec.convert(name, schema.Name)
    except msgspec.ValidationError:
        hint = "Up to 63 letters, digits, - and _; it begins with a letter or digit."
        raise errors.Invalid(f"{name[:40]!r} is no name for a {what}.", hint=hint) from None
    if isinstance(taken, dict) and clean in taken:
        raise library_errors.Taken(f"There is a {what} called {clean} already.")
    return str(clean)


def _known(skipped: list[str], kind: type[object], *, name: str) -> list[str]:
    """Those of the skipped options that have to be there. Raises ConfigError for one that there is not."""
    found = {field.name: field for field in dataclasses.fields(kind)} if dataclasses.is_dataclass(kind) else {}
    for key in skipped:
        if key not in found:
            raise ConfigError(f"Connection {name} has no option {key[:40]!r}.")
    return [key for key in skipped if found[key].default is dataclasses.MISSING]


def _refuse_plain_secret(name: str, key: str, value: object) -> None:
    if isinstance(value, str) and not value.startswith(("env:", "file:", "keyring:")):
        raise errors.Invalid(
            f"{key} of connection {name} must name a secret, not hold it.",
            hint="Write env:NAME, file:/path/to/secret or keyring:service/name.",
        )


def _connection(name: str) -> ConnectionView:
    settings = current.loaded().settings
    found = settings.connection.get(name)
    if found is None:
        raise errors.NotFound(f"There is no connection {name[:60]!r}.", hint="`nephos connection list` shows them.")
    users = [key for key, destination in settings.destination.items() if destination.connection == name]
    return ConnectionView(name, found.kind, dict(found.options), users)


def _destination(name: str) -> DestinationView:
    settings = current.loaded().settings
    found = settings.destination.get(name)
    if found is None:
        raise errors.NotFound(f"There is no destination {name[:60]!r}.", hint="`nephos destination list` shows them.")
    users = [key for key, watch in settings.watch.items() if name in watch.destinations]
    kind = settings.connection[found.connection].kind
    return DestinationView(name, found.connection, kind, found.base, found.verify, users)
