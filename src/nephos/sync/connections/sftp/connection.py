"""The SFTP kind of connection."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from nephos.config import secret
from nephos.lib import ids, ports
from nephos.sync import errors
from nephos.sync.connections import base, hidden, options, prefix
from nephos.sync.connections.sftp import channel as channels
from nephos.sync.connections.sftp import (
    copying,
    fallback,
    folders,
    growing,
    hostkeys,
    packets,
    place,
    probe,
    reading,
    refusals,
    shift,
    ssh,
    transport,
)
from nephos.sync.connections.sftp.channel import Channel
from nephos.sync.connections.sftp.lobby import Lobby
from nephos.sync.connections.sftp.packets import Attributes, Kind, Reply, Status
from nephos.sync.connections.sftp.place import SftpOptions, check

__all__ = ["OPTIONS", "SftpConnection", "SftpOptions", "accept", "check", "open_"]

OPTIONS = SftpOptions


def open_(
    name: str,
    values: Mapping[str, options.Plain],
    root: str,
    profile: base.Profile | None,  # noqa: ARG001 - what the server can do shows at each login
    tuning: base.Tuning,
) -> base.Connection:
    """Open a folder on a server. Raises ConfigError, SecretMissing."""
    kind, login = _login(name, values, root, tuning.folder)
    return SftpConnection(Lobby(kind, login), kind, login)


def accept(name: str, values: Mapping[str, options.Plain], root: str, folder: Path, fingerprint: str) -> None:
    """Trust the server from now on, if the key that it shows has this fingerprint. Raises SyncError, ConfigError."""
    kind, login = _login(name, values, root, folder)
    key = kind.shown_key(login)
    if key.fingerprint != fingerprint.strip():
        raise refusals.HostKeyUnknown(
            f"{login.place.shown} shows the key {key.fingerprint}, not {fingerprint[:80]}; nothing is changed.",
            hint="Compare with what the server's owner tells you.",
        )
    hostkeys.accept(folder, login.place, key)


class SftpConnection:
    """One folder on one server."""

    capabilities = base.Capabilities(resumes=True, copies=True, lists=True, renames_atomically=True)

    def __init__(self, lobby: Lobby, kind: transport.Kind, login: transport.Login) -> None:
        self.lobby = lobby
        self._kind = kind
        self._login = login
        self._folders = folders.Folders(login.place)
        self._behind = growing.Behind(login.place, self._folders, prefix.Prefixes())
        self._hashing = ThreadPoolExecutor(4, thread_name_prefix="sftp-hash")

    def send(
        self, items: Iterable[base.Item], *, journal: base.TransferJournal, stop: ports.Waiter
    ) -> Iterator[base.Outcome]:
        """Many at a time over one or two logins, by the thread that asks for the outcomes."""
        whole = self._behind.adopted(items, journal=journal, stop=stop)
        return shift.Shift(self.lobby, self._folders, journal, stop, self._hashing).run(whole)

    @property
    def step_bytes(self) -> int:
        """Worth a few packets."""
        return growing.STEP_BYTES

    def grow(
        self,
        item: base.Item,
        expected_bytes: int,  # noqa: ARG002 - a file needs no plan
        *,
        flush: bool,  # noqa: ARG002 - it has no parts
        journal: base.TransferJournal,
        stop: ports.Waiter,
    ) -> int:
        """Under the hidden name."""
        with self._channel() as channel:
            return self._behind.grow(channel, item, journal=journal, stop=stop)

    def abandon(self, item: base.Item, *, journal: base.TransferJournal, stop: ports.Waiter) -> None:
        """Remove the hidden file."""
        with self._channel() as channel:
            self._behind.abandon(channel, item, journal=journal, stop=stop)

    def look(self, path: str) -> base.Remote | None:
        """STAT."""
        with self._channel() as channel:
            reply = channels.answer(channel, Kind.STAT, packets.text(self._path(path)), base.NEVER)
        if reply.status == Status.NO_SUCH_FILE:
            return None
        found = _known(reply, "look").attributes
        return None if found.is_folder else base.Remote(key=path, bytes=found.bytes or 0)

    def list(self, prefix: str = "") -> Iterator[base.Remote]:
        """All files below the base but our own unfinished ones."""
        with self._channel() as channel:
            for relative, found in _walk(channel, self._login.place, prefix.rpartition("/")[0]):
                if relative.startswith(prefix):
                    yield base.Remote(key=relative, bytes=found.bytes or 0)

    def copy(self, source: str, target: str) -> None:
        """Within the server where it can, else through here; by a hidden name, so that no reader sees a part."""
        with self._channel() as channel:
            self._folders.need(channel, target)
            folder, _, name = target.rpartition("/")
            trial = hidden.name(name, ids.new())
            trial = f"{folder}/{trial}" if folder else trial
            names = (self._path(source), self._path(trial), self._path(target))
            copying.copy(channel, *names)

    def move(self, source: str, target: str) -> None:
        """A rename, in place of what is there."""
        with self._channel() as channel:
            found = channels.answer(channel, Kind.STAT, packets.text(self._path(source)), base.NEVER)
            size = _known(found, "find the file").attributes.bytes or 0
            self._folders.need(channel, target)
            copying.rename(channel, (self._path(source), self._path(target)), size)

    def read(self, path: str, sink: Callable[[bytes], object], *, start: int, stop: ports.Waiter) -> None:
        """From an offset to the end."""
        with self._channel() as channel:
            found = channels.answer(channel, Kind.STAT, packets.text(self._path(path)), stop)
            if found.status == Status.NO_SUCH_FILE:
                raise errors.NotThere
            size = _known(found, "find the file").attributes.bytes or 0
            over: list[errors.SyncError | None] = []
            reading.Reading(channel, self._path(path), span=(start, size), sink=sink, done=over.append)
            channels.wait(channel, lambda: bool(over) and channel.is_idle, stop)  # else it is of no more use
        if over[0] is not None:
            raise over[0]

    def delete(self, path: str) -> None:
        """Exactly this file, and the folders that nothing is left in."""
        self._remove(self._path(path), path, "remove the file")

    def tidy(self, path: str, *, handle: str, item: int) -> None:
        """Remove a hidden file."""
        folder, _, name = path.rpartition("/")
        chosen = hidden.name(name, str(item))
        place = os.fsencode(handle) if handle else self._path(f"{folder}/{chosen}" if folder else chosen)
        self._remove(place, path, "remove the unfinished file")

    def probe(self) -> base.Profile:
        """Make the folder, write, rename and remove there. An unknown key is told with its fingerprint."""
        try:
            with self._channel() as channel:
                return probe.probe(channel, self._login.place)
        except (refusals.HostKeyUnknown, refusals.HostKeyChanged) as error:
            raise self._with_fingerprint(error) from error

    def close(self) -> None:
        """Log out."""
        self.lobby.close()
        self._hashing.shutdown(wait=False)

    def _remove(self, place: bytes, path: str, what: str) -> None:
        """A file, and in one go the folders above it, of which a server removes only those that are empty."""
        parts = path.split("/")[:-1]
        above = [self._path("/".join(parts[:count])) for count in range(len(parts), 0, -1)]
        requests = [(Kind.REMOVE, packets.text(place)), *((Kind.RMDIR, packets.text(folder)) for folder in above)]
        with self._channel() as channel:
            reply, *_ = channels.answers(channel, requests, base.NEVER)
            gone = reply.status in {Status.OK, Status.NO_SUCH_FILE}
            if not gone and channels.answer(channel, Kind.STAT, packets.text(place), base.NEVER).attributes.is_folder:
                return  # the file gave way to a folder
        if not gone:
            raise refusals.of(reply, what)

    def _path(self, path: str) -> bytes:
        return self._login.place.path(path)

    @contextlib.contextmanager
    def _channel(self) -> Iterator[Channel]:
        channel = self.lobby.ready(base.NEVER)
        try:
            yield channel
        finally:
            self.lobby.give_back(channel)

    def _with_fingerprint(self, error: errors.SyncError) -> errors.SyncError:
        try:
            key = self._kind.shown_key(self._login)
        except errors.SyncError:
            return error
        return type(error)(
            f"{error.message.rstrip('.')}. {self._login.place.shown} shows {key.kind} {key.fingerprint}.",
            hint=f"Compare it with what its owner says, then: nephos connection test NAME --accept {key.fingerprint}",
        )


def _login(
    name: str, values: Mapping[str, options.Plain], root: str, folder: Path | None
) -> tuple[transport.Kind, transport.Login]:
    decoded = options.decode(SftpOptions, values, name=name)
    password = secret.resolve(decoded.password, name=f"password of connection {name}") if decoded.password else None
    passphrase = secret.resolve(decoded.passphrase, name=f"passphrase of {name}") if decoded.passphrase else None
    login = transport.Login(
        place=place.parse(decoded, root, name=name),
        folder=folder or Path(tempfile.gettempdir()) / "nephos-trusts-nobody",
        key_file=Path(decoded.key_file).expanduser() if decoded.key_file else None,
        passphrase=passphrase,
        password=password,
        ssh_config=decoded.ssh_config,
    )
    by_ssh = decoded.transport == "ssh" or (decoded.transport == "auto" and ssh.is_here())
    return (ssh.Ssh() if by_ssh else fallback.Asyncssh()), login


def _known(reply: Reply, what: str) -> Reply:
    if reply.kind == Kind.STATUS:
        raise refusals.of(reply, what)
    return reply


def _walk(channel: Channel, at: place.Place, start: str) -> Iterator[tuple[str, Attributes]]:
    waiting = [start]
    while waiting:
        folder = waiting.pop()
        for raw, found in _entries(channel, at.below(os.fsencode(folder))):
            name = os.fsdecode(raw)
            relative = f"{folder}/{name}" if folder else name
            if found.is_folder:
                waiting.append(relative)
            elif found.is_file and not hidden.is_one(name):
                yield relative, found


def _entries(channel: Channel, folder: bytes) -> list[tuple[bytes, Attributes]]:
    opened = channels.answer(channel, Kind.OPENDIR, packets.text(folder), base.NEVER)
    if opened.status == Status.NO_SUCH_FILE:
        return []
    handle = packets.text(_known(opened, "list the folder").text)
    found: list[tuple[bytes, Attributes]] = []
    while (reply := channels.answer(channel, Kind.READDIR, handle, base.NEVER)).kind == Kind.NAME:
        found += [entry for entry in reply.names if entry[0] not in {b".", b".."}]
    channels.answer(channel, Kind.CLOSE, handle, base.NEVER)
    return found
