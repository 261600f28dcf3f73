"""The keys of servers that a person has accepted: a `known_hosts` file of our own."""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from pathlib import Path

from nephos.lib import files
from nephos.sync.connections.sftp.place import Place

NAME = "known_hosts"


@dataclass(frozen=True, slots=True)
class HostKey:
    """A server's public key as it shows it."""

    kind: str
    blob: str  # base 64

    @property
    def fingerprint(self) -> str:
        """As `ssh-keygen -l` prints it."""
        digest = hashlib.sha256(base64.b64decode(self.blob)).digest()
        return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def parse(text: str) -> list[HostKey]:
    """Keys in a `known_hosts` file, whichever host they are of."""
    found = []
    for line in text.splitlines():
        fields = line.split()
        if len(fields) >= 3 and not line.startswith(("#", "@")) and _is_key(fields[2]):
            found.append(HostKey(fields[1], fields[2]))
    return found


def known(folder: Path, place: Place) -> list[HostKey]:
    """What was accepted for a server."""
    return parse("\n".join(_lines_of(folder, place)))


def accept(folder: Path, place: Place, key: HostKey) -> None:
    """From now on this key, and no other, is the server's."""
    path = folder / NAME
    mine = set(_lines_of(folder, place))
    others = [line for line in _lines(path) if line not in mine]
    files.write_atomic(path, "\n".join([*others, f"{marker(place)} {key.kind} {key.blob}", ""]).encode())


def marker(place: Place) -> str:
    """How a server is named in the file."""
    return place.host if place.port == 22 else f"[{place.host}]:{place.port}"


def _lines_of(folder: Path, place: Place) -> list[str]:
    return [line for line in _lines(folder / NAME) if line.split(" ", 1)[0] == marker(place)]


def _lines(path: Path) -> list[str]:
    return [line for line in path.read_text().splitlines() if line.strip()] if path.exists() else []


def _is_key(blob: str) -> bool:
    try:
        return bool(base64.b64decode(blob, validate=True))
    except (binascii.Error, ValueError):
        return False
