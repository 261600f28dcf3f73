"""Real SFTP servers for tests: OpenSSH's sshd, and one by asyncssh that can as little as a phone's."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import os
import shutil
import socket
import subprocess
import threading
import time
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import asyncssh
import pytest

from nephos.sync.connections.sftp import hostkeys, place
from tests.fakes.s3 import free_port

PASSWORD = "swordfish-never-in-a-log"


@dataclass
class SftpServer:
    """sshd on a port of the loopback, with keys of its own; `root` is where tests let it write."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def root(self) -> Path:
        return self.folder / "files"

    @property
    def key(self) -> Path:
        return self.folder / "id"

    @property
    def fingerprint(self) -> str:
        return hostkeys.parse(f"host {(self.folder / 'host.pub').read_text()}")[0].fingerprint

    def options(self, *, port: int = 0) -> dict[str, str | int | float | bool]:
        """Options of a connection of kind sftp to it."""
        return {
            "host": "127.0.0.1",
            "port": port or self.port,
            "user": getpass.getuser(),
            "key_file": str(self.key),
            "ssh_config": "none",
        }

    def trust(self, folder: Path, *, port: int = 0) -> None:
        """As if a person had accepted its key."""
        folder.mkdir(parents=True, exist_ok=True)
        key = hostkeys.parse(f"host {(self.folder / 'host.pub').read_text()}")[0]
        hostkeys.accept(folder, place.Place("127.0.0.1", port or self.port, "", b""), key)

    def lock_key(self, passphrase: str) -> None:
        """From now on the client's key wants a passphrase."""
        argv = ["ssh-keygen", "-q", "-p", "-P", "", "-N", passphrase, "-f", str(self.key)]
        subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)

    def sessions(self) -> list[int]:
        """The processes that serve logins."""
        assert self.process is not None
        found = [self.process.pid]
        parents = {}
        for status in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                parents[int(status.parent.name)] = int(status.read_text().rpartition(")")[2].split()[1])
        while more := [pid for pid, parent in parents.items() if parent in found and pid not in found]:
            found += more
        return found[1:]

    def new_host_key(self) -> None:
        """The server is set up anew, or is another."""
        for name in ("host", "host.pub"):
            (self.folder / name).unlink(missing_ok=True)
        keygen(self.folder / "host")

    def start(self) -> SftpServer:
        config = self.folder / "sshd_config"
        config.write_text(_CONFIG.format(port=self.port, folder=self.folder))
        sshd = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
        assert sshd, "sshd is not installed: sh script/setup tests"
        argv = [sshd, "-D", "-f", str(config), "-E", str(self.folder / "log")]
        self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return self
            assert self.process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < deadline, "sshd did not start"
            time.sleep(0.02)

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(timeout=10)
            self.process = None


_CONFIG = """
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host
PidFile {folder}/pid
AuthorizedKeysFile {folder}/authorized
StrictModes no
UsePAM no
PermitRootLogin prohibit-password
PubkeyAuthentication yes
PasswordAuthentication no
KbdInteractiveAuthentication no
Subsystem sftp internal-sftp
MaxStartups 200:30:400
UseDNS no
LogLevel ERROR
"""


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[SftpServer]:
    """A server of OpenSSH whose files and keys are below a folder."""
    server = SftpServer(folder, free_port())
    server.root.mkdir(parents=True)
    keygen(folder / "host")
    keygen(folder / "id")
    shutil.copy(folder / "id.pub", folder / "authorized")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # only wanted of root
    try:
        yield server.start()
    finally:
        server.stop()


def keygen(path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)


@pytest.fixture
def sftp_server(tmp_path: Path) -> Iterator[SftpServer]:
    """A fresh, empty server."""
    with serving(tmp_path / "sftp") as server:
        yield server


@dataclass
class PasswordServer:
    """A server on loopback with files in a folder, a host key beside them, and a password."""

    folder: Path
    port: int

    @property
    def root(self) -> Path:
        return self.folder / "files"

    def options(self) -> dict[str, str | int | float | bool]:
        return {"host": "127.0.0.1", "port": self.port, "user": "phone", "password": f"file:{self.folder}/password"}

    def trust(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        key = hostkeys.parse(f"host {(self.folder / 'host.pub').read_text()}")[0]
        hostkeys.accept(folder, place.Place("127.0.0.1", self.port, "", b""), key)


@dataclass
class Phone(PasswordServer):
    """A server as they run on phones: a password, and neither posix-rename nor fsync, setstat or copies."""

    most_bytes: int = 0  # over this a file is over quota; 0 is no limit
    folds: bool = False  # names that differ in case, or in how letters are put together, are one


@contextlib.contextmanager
def phoning(folder: Path) -> Iterator[Phone]:
    """A phone's server in a thread."""
    phone = Phone(folder, free_port())
    phone.root.mkdir(parents=True)
    keygen(folder / "host")
    secret = folder / "password"
    secret.touch(mode=0o600)
    secret.write_text(PASSWORD)
    loop = asyncio.new_event_loop()
    offered = mock.patch.object(asyncssh.sftp.SFTPServerHandler, "_extensions", [])
    offered.start()
    server = loop.run_until_complete(_listen(phone))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield phone
    finally:
        asyncio.run_coroutine_threadsafe(end(server), loop).result(timeout=10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(timeout=10)
        loop.close()
        offered.stop()


async def end(server: Any) -> None:
    server.close()
    await server.wait_closed()
    await asyncio.sleep(0.05)  # logins that end with it


async def _listen(phone: Phone) -> Any:
    return await asyncssh.listen(
        "127.0.0.1",
        phone.port,
        server_host_keys=[str(phone.folder / "host")],
        server_factory=Door,
        sftp_factory=lambda channel: _Poor(channel, phone),
        sftp_version=3,
    )


class Door(asyncssh.SSHServer):
    """Lets in who knows the password."""

    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return username == "phone" and password == PASSWORD


class _Poor(asyncssh.SFTPServer):
    """Refuses what phones refuse."""

    def __init__(self, channel: Any, phone: Phone) -> None:
        super().__init__(channel, chroot=str(phone.root).encode())
        self._phone = phone

    def map_path(self, path: bytes) -> bytes:
        """What is below the root has one name only, however it is written."""
        mapped = super().map_path(path)
        root = os.fsencode(self._phone.root)
        if not self._phone.folds or not mapped.startswith(root):
            return mapped
        name = os.fsdecode(mapped.removeprefix(root))
        return root + os.fsencode(unicodedata.normalize("NFC", name).casefold())

    def posix_rename(self, oldpath: bytes, newpath: bytes) -> None:
        raise asyncssh.SFTPOpUnsupported("no posix-rename here")

    def rename(self, oldpath: bytes, newpath: bytes) -> None:
        if os.path.lexists(self.map_path(newpath)):
            raise asyncssh.SFTPFailure("File exists")
        super().rename(oldpath, newpath)

    def setstat(self, path: bytes, attrs: Any) -> None:
        raise asyncssh.SFTPPermissionDenied("no setstat here")

    def fsetstat(self, file_obj: object, attrs: Any) -> None:
        raise asyncssh.SFTPPermissionDenied("no setstat here")

    def fsync(self, file_obj: object) -> None:
        raise asyncssh.SFTPOpUnsupported("no fsync here")

    def write(self, file_obj: object, offset: int, data: bytes) -> int:
        if self._phone.most_bytes and offset + len(data) > self._phone.most_bytes:
            raise asyncssh.SFTPFailure("quota exceeded")
        return super().write(file_obj, offset, data)
