"""Logging in by asyncssh, where there is no `ssh` that can be driven: the same packets, slower ciphers."""

from __future__ import annotations

import asyncio
import importlib.util
import socket
import threading
from typing import Any

from nephos.config.errors import ConfigError
from nephos.sync import errors
from nephos.sync.connections.sftp import hostkeys, refusals, transport
from nephos.sync.connections.sftp.hostkeys import HostKey
from nephos.sync.connections.sftp.transport import Login

_BLOCK_BYTES = 256 * 1024


def is_here() -> bool:
    """Whether the optional package is installed."""
    return importlib.util.find_spec("asyncssh") is not None


class Asyncssh:
    """Logs in by asyncssh, in a thread of its own for each login."""

    def connect(self, login: Login) -> transport.Transport:
        """Begin. Raises ConfigError if the package is missing."""
        if not is_here():
            raise ConfigError(
                "There is neither an ssh program nor the package asyncssh.", hint="pip install nephos-station[sftp]"
            )
        return _Thread(login)

    def shown_key(self, login: Login) -> HostKey:
        """Ask for the key only."""
        import asyncssh

        async def ask() -> Any:
            place = login.place
            async with asyncio.timeout(transport.CONNECT_SECONDS):
                return await asyncssh.get_server_host_key(place.host, place.port, config=None)

        try:
            key = asyncio.run(ask())
        except (OSError, TimeoutError, asyncssh.Error) as error:
            raise errors.Offline(f"{login.place.shown} cannot be reached: {error}.") from error
        if key is None:
            raise errors.Offline(f"{login.place.shown} shows no key.")
        return hostkeys.parse(f"host {key.export_public_key('openssh').decode()}")[0]


class _Thread:
    """One login, pumped between a socket and asyncssh."""

    def __init__(self, login: Login) -> None:
        self.socket, self._far = transport.pair()
        self._login = login
        self._error: errors.SyncError | None = None
        self._thread = threading.Thread(target=self._run, name="asyncssh", daemon=True)
        self._thread.start()

    def explain(self) -> errors.SyncError:
        """By what asyncssh said."""
        self._thread.join(timeout=1)
        return self._error or errors.Offline(f"{self._login.place.shown}: the connection ended.")

    def close(self) -> None:
        """The thread ends when its socket does."""
        self.socket.close()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        import asyncssh

        place = self._login.place.shown
        try:
            asyncio.run(_carry(self._login, self._far))
        except asyncssh.HostKeyNotVerifiable as error:
            known = hostkeys.known(self._login.folder, self._login.place)
            kind = refusals.HostKeyChanged if known else refusals.HostKeyUnknown
            self._error = kind(hint="`nephos connection test NAME` shows its fingerprint and how to accept it.")
            self._error.__cause__ = error
        except asyncssh.PermissionDenied as error:
            self._error = refusals.LoginRefused(f"{place} does not let us in: {error}.")
        except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError) as error:
            self._error = refusals.LoginRefused(f"The key for {place} cannot be used: {error}.")
        except (OSError, TimeoutError, asyncssh.Error) as error:
            self._error = errors.Offline(f"{place} cannot be reached: {error}.")
        finally:
            self._far.close()


async def _carry(login: Login, far: socket.socket) -> None:
    import asyncssh

    place = login.place
    known = login.folder / hostkeys.NAME
    options: dict[str, Any] = {
        # An empty list trusts nobody; None would trust everybody.
        "known_hosts": str(known) if known.exists() else ([], [], []),
        "config": None,
        "connect_timeout": transport.CONNECT_SECONDS,
        "keepalive_interval": 15,
        "encryption_algs": ["aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "chacha20-poly1305@openssh.com"],
    }
    if place.user:
        options["username"] = place.user
    if login.password is not None:
        options |= {"password": login.password.reveal(), "client_keys": None, "agent_path": None}
    elif login.key_file is not None:
        options |= {"client_keys": [str(login.key_file)], "agent_path": None}
        options["passphrase"] = login.passphrase.reveal() if login.passphrase is not None else None
    async with asyncssh.connect(place.host, place.port, **options) as connection:
        writer, reader, _ = await connection.open_session(subsystem="sftp", encoding=None)
        near_reader, near_writer = await asyncio.open_connection(sock=far)
        ways = [asyncio.ensure_future(_copy(near_reader, writer)), asyncio.ensure_future(_copy(reader, near_writer))]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            near_writer.close()


async def _copy(source: Any, target: Any) -> None:
    while block := await source.read(_BLOCK_BYTES):
        target.write(block)
        await target.drain()
