"""Where an SFTP server is, who logs in there, and where files lie."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from nephos.config.errors import ConfigError
from nephos.sync import errors, names
from nephos.sync.connections import hidden, options

_HOST = re.compile(r"[A-Za-z0-9_\[:][A-Za-z0-9_.:%\]-]*")
_USER = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_.@\\+$-]*")


@dataclass(frozen=True, slots=True)
class SftpOptions:
    """Password and passphrase are references to secrets (`env:NAME`, `file:/path`).

    Without a password: the key file, with its passphrase or by way of the agent; without one whatever the agent has.
    """

    host: str
    port: int = 22
    user: str = ""
    key_file: str = ""
    passphrase: str = ""  # of the key file
    password: str = ""
    ssh_config: str = ""  # "" is the user's own, with its jump hosts; "none" is none
    transport: Literal["auto", "ssh", "asyncssh"] = "auto"


@dataclass(frozen=True, slots=True)
class Place:
    """A server and a folder on it; an empty folder is where the login begins."""

    host: str
    port: int
    user: str
    folder: bytes

    @property
    def shown(self) -> str:
        """For people."""
        return self.host if self.port == 22 else f"{self.host}:{self.port}"

    def path(self, relative: str) -> bytes:
        """The server's path of a file. Raises NameRefused."""
        refusal = names.refusal(relative)
        if refusal:
            raise errors.NameRefused(refusal)
        return self.below(os.fsencode(relative))

    def names(self, relative: str, transfer: str) -> tuple[bytes, bytes]:
        """The final path of a file, and the hidden one beside it. Raises NameRefused."""
        return self.path(relative), self.hidden(relative, transfer)

    def hidden(self, relative: str, transfer: str) -> bytes:
        """Beside the place of a file whose name was found to be good."""
        folder, _, name = relative.rpartition("/")
        chosen = hidden.name(name, transfer)
        return self.below(os.fsencode(f"{folder}/{chosen}" if folder else chosen))

    def below(self, relative: bytes) -> bytes:
        """Any path below the base."""
        if not self.folder or not relative:
            return relative or self.folder or b"."
        return self.folder.rstrip(b"/") + b"/" + relative


def check(name: str, values: Mapping[str, options.Plain], root: str) -> None:
    """Raises ConfigError for options or a base that cannot be used."""
    parse(options.decode(SftpOptions, values, name=name), root, name=name)


def parse(decoded: SftpOptions, root: str, *, name: str) -> Place:
    """Raises ConfigError that names the connection and what is wrong."""
    if not _HOST.fullmatch(decoded.host):
        raise ConfigError(
            f"Connection {name}: {decoded.host!r} is no name of a host.", hint='host = "sftp.example.org"'
        )
    if decoded.user and not _USER.fullmatch(decoded.user):
        raise ConfigError(f"Connection {name}: {decoded.user!r} is no name of a user.")
    if not 0 < decoded.port < 65536:
        raise ConfigError(f"Connection {name}: there is no port {decoded.port}.")
    if decoded.key_file and not Path(decoded.key_file).expanduser().is_file():
        raise ConfigError(f"Connection {name}: there is no key file {decoded.key_file}.")
    if decoded.password and decoded.key_file:
        raise ConfigError(f"Connection {name} has a password and a key file.", hint="Choose one of the two.")
    if decoded.passphrase and not decoded.key_file:
        raise ConfigError(f"Connection {name} has a passphrase and no key file.", hint='key_file = "~/.ssh/id_ed25519"')
    if "\0" in root or ".." in root.split("/"):
        raise ConfigError(
            f"A destination on connection {name} cannot have the base {root!r}.", hint='base = "/archive"'
        )
    return Place(decoded.host.strip("[]"), decoded.port, decoded.user, os.fsencode(root.rstrip("/") or root[:1]))
