"""What carries the packets: a socket whose other end is a login on the server."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from nephos.config.secret import Secret
from nephos.sync.connections.sftp.hostkeys import HostKey
from nephos.sync.connections.sftp.place import Place
from nephos.sync.errors import SyncError

CONNECT_SECONDS = 20
_BUFFER_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Login:
    """Where, as whom, by what, and the folder with the keys of servers that are trusted."""

    place: Place
    folder: Path
    key_file: Path | None = None
    passphrase: Secret | None = None
    password: Secret | None = None
    ssh_config: str = ""

    @property
    def said(self) -> Secret | None:
        """What is said when somebody asks."""
        return self.password or self.passphrase


class Transport(Protocol):
    """One login."""

    socket: socket.socket

    def explain(self) -> SyncError:
        """Why it ended."""
        ...

    def close(self) -> None:
        """Log out."""
        ...


class Kind(Protocol):
    """A way to log in."""

    def connect(self, login: Login) -> Transport:
        """Begin to log in; what comes of it shows on the socket."""
        ...

    def shown_key(self, login: Login) -> HostKey:
        """The key that the server shows, without logging in. Raises SyncError."""
        ...


def pair() -> tuple[socket.socket, socket.socket]:
    """Two ends of a pipe that goes both ways, with room."""
    near, far = socket.socketpair()
    for end in (near, far):
        for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
            end.setsockopt(socket.SOL_SOCKET, option, _BUFFER_BYTES)
    near.settimeout(0)
    return near, far
