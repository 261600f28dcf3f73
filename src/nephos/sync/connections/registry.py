"""The kinds of connection there are; a new one is one line here."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from nephos.config import schema
from nephos.config.errors import ConfigError
from nephos.sync.connections import base
from nephos.sync.connections.options import Plain

# A station that uses one kind does not pay for the others: SFTP alone is a fifth of the start of sync.
KINDS: dict[str, str] = {
    "file": "nephos.sync.connections.file",
    "s3": "nephos.sync.connections.s3.connection",
    "plugin": "nephos.sync.connections.plugin",
    "sftp": "nephos.sync.connections.sftp.connection",
}


@dataclass(frozen=True, slots=True)
class Kind:
    """How a kind checks what the settings say, and how it is opened: what its module has under these names."""

    options: type[object]
    check: Callable[[str, Mapping[str, Plain], str], None]
    open: Callable[[str, Mapping[str, Plain], str, base.Profile | None, base.Tuning], base.Connection]
    accept: Callable[[str, Mapping[str, Plain], str, Path, str], None] | None = None  # trust a server by fingerprint


@functools.cache
def _load(kind: str) -> Kind:
    module = importlib.import_module(KINDS[kind])
    return Kind(module.OPTIONS, module.check, module.open_, getattr(module, "accept", None))


def kind_of(name: str, connection: schema.Connection) -> Kind:
    """The kind of a configured connection. Raises ConfigError for an unknown one."""
    if connection.kind not in KINDS:
        raise ConfigError(
            f"Connection {name} is of the unknown kind {connection.kind!r}.", hint=f"There are: {', '.join(KINDS)}."
        )
    return _load(connection.kind)


def open_destination(
    settings: schema.Settings,
    name: str,
    *,
    profile: base.Profile | None = None,
    folder: Path | None = None,
    plugins: Path | None = None,
) -> base.Connection:
    """Open a destination; the folder has the keys of trusted servers. Raises ConfigError, SecretMissing."""
    destination = settings.destination[name]
    connection = settings.connection[destination.connection]
    tuning = base.Tuning(
        single_put_bytes=settings.sync.single_put_bytes,
        part_bytes=settings.sync.part_bytes,
        part_threads=settings.sync.part_threads,
        small_threads=destination.files_at_once,
        folder=folder,
        plugins=plugins,
    )
    kind = kind_of(destination.connection, connection)
    return kind.open(destination.connection, connection.options, destination.base, profile, tuning)


def accept_server(settings: schema.Settings, name: str, *, folder: Path, fingerprint: str) -> None:
    """Trust a destination's server by the fingerprint of its key. Raises SyncError, ConfigError."""
    destination = settings.destination[name]
    connection = settings.connection[destination.connection]
    kind = kind_of(destination.connection, connection)
    if kind.accept is None:
        raise ConfigError(f"A connection of kind {connection.kind} has no key to accept.")
    kind.accept(destination.connection, connection.options, destination.base, folder, fingerprint)
