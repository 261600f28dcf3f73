"""Logging in by the `ssh` of the system: its ciphers are in C and in a process of their own, and jump hosts, agents and
certificates come for free. Always plain argv; no shell, here or there."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import IO

from nephos.sync import errors
from nephos.sync.connections.sftp import hostkeys, refusals, transport
from nephos.sync.connections.sftp.hostkeys import HostKey
from nephos.sync.connections.sftp.transport import Login

_PASSWORD = "NEPHOS_SSH_PASSWORD"  # noqa: S105 - the name of a variable
_ASKPASS = f"#!/bin/sh\nprintf '%s\\n' \"${_PASSWORD}\"\n"
# With AES in the processor GCM takes two thirds of the time of ChaCha, without it half as much again.
_WITH_AES = "aes128-gcm@openssh.com,aes256-gcm@openssh.com,chacha20-poly1305@openssh.com,aes256-ctr,aes128-ctr"
_WITHOUT_AES = "chacha20-poly1305@openssh.com,aes128-gcm@openssh.com,aes256-gcm@openssh.com,aes128-ctr,aes256-ctr"


def is_here() -> bool:
    """Whether this system has it, in a form that can be driven by a socket."""
    return os.name == "posix" and shutil.which("ssh") is not None


class Ssh:
    """Logs in by the system's `ssh`."""

    def connect(self, login: Login) -> transport.Transport:
        """Start `ssh -s HOST sftp`."""
        known = login.folder / hostkeys.NAME
        return _Child(login, ["-oStrictHostKeyChecking=yes", f"-oUserKnownHostsFile={_quoted(known)}"])

    def shown_key(self, login: Login) -> HostKey:
        """Let ssh note the key in a file of its own, and go no further: no way of logging in is offered."""
        with tempfile.TemporaryDirectory(prefix="nephos-ssh-") as folder:
            noted = Path(folder) / "key"
            options = ["-oStrictHostKeyChecking=accept-new", f"-oUserKnownHostsFile={_quoted(noted)}"]
            options += ["-oPreferredAuthentications=none", "-oHashKnownHosts=no"]
            child = _Child(login, options)
            child.wait()
            keys = hostkeys.parse(noted.read_text()) if noted.exists() else []
            try:
                if not keys:
                    raise child.explain()
            finally:
                child.close()
        return keys[0]


class _Child:
    """One `ssh`, its standard input and output a socket."""

    def __init__(self, login: Login, options: list[str]) -> None:
        self._where = login.place.shown
        self._complaints: IO[bytes] = tempfile.TemporaryFile(prefix="nephos-ssh-")  # noqa: SIM115 - closed in close
        self.socket, far = transport.pair()
        try:
            self._process = subprocess.Popen(
                _argv(login, options),
                stdin=far.fileno(),
                stdout=far.fileno(),
                stderr=self._complaints,
                env=_environment(login),
                start_new_session=True,  # no terminal: nothing can ask a person
            )
        except OSError as error:
            self.socket.close()
            self._complaints.close()
            raise errors.Offline(f"ssh cannot be started: {error}.") from error
        finally:
            far.close()

    def wait(self) -> None:
        """Until it ends by itself, or for too long."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=transport.CONNECT_SECONDS * 2)

    def explain(self) -> errors.SyncError:
        """By what it complained of."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=1)
        if self._complaints.closed:
            return errors.Offline(f"{self._where}: the connection was closed.")
        self._complaints.seek(0)
        return refusals.of_ssh(self._complaints.read(64 * 1024).decode("utf-8", "replace"), self._where)

    def close(self) -> None:
        """End it; the server sees the connection close."""
        self.socket.close()
        self._process.kill()
        self._process.wait()
        self._complaints.close()


def _argv(login: Login, options: list[str]) -> list[str]:
    place = login.place
    argv = ["ssh", "-a", "-x", "-T", "-p", str(place.port), "-c", _ciphers(), *options]
    config = "none" if login.said else login.ssh_config  # a user's SendEnv shall not see the secret
    argv += ["-F", config] if config else []
    argv += ["-l", place.user] if place.user else []
    if login.key_file is not None:
        argv += ["-i", str(login.key_file), "-oIdentitiesOnly=yes"]
    argv += _ways_in(login)
    for option in (
        "GlobalKnownHostsFile=/dev/null",
        "UpdateHostKeys=no",
        "CheckHostIP=no",
        "ClearAllForwardings=yes",
        "PermitLocalCommand=no",
        "ControlPath=none",
        "EscapeChar=none",
        "LogLevel=ERROR",
        f"ConnectTimeout={transport.CONNECT_SECONDS}",
        "ServerAliveInterval=15",
        "ServerAliveCountMax=3",
    ):
        argv.append(f"-o{option}")
    return [*argv, "-s", "--", place.host, "sftp"]


def _ways_in(login: Login) -> list[str]:
    if login.said is None:
        return ["-oBatchMode=yes"]
    if login.password is None:
        return ["-oPreferredAuthentications=publickey", "-oNumberOfPasswordPrompts=1", "-oAddKeysToAgent=no"]
    ways = ["-oPreferredAuthentications=password,keyboard-interactive", "-oNumberOfPasswordPrompts=1"]
    return [*ways, "-oPubkeyAuthentication=no"]


def _environment(login: Login) -> dict[str, str]:
    environment = {name: value for name, value in os.environ.items() if name not in {"SSH_ASKPASS", "DISPLAY"}}
    if login.said is None:
        return environment
    # ssh closes all other handles, so the password goes by the environment of this one child.
    helper = login.folder / "ssh-askpass"
    if not helper.exists():
        helper.touch(mode=0o700)
        helper.write_text(_ASKPASS)
    return environment | {
        "SSH_ASKPASS": str(helper),
        "SSH_ASKPASS_REQUIRE": "force",
        _PASSWORD: login.said.reveal(),
    }


def _ciphers() -> str:
    try:
        flags = Path("/proc/cpuinfo").read_text()
    except OSError:
        return _WITH_AES
    return _WITH_AES if " aes" in flags or "vaes" in flags else _WITHOUT_AES


def _quoted(path: Path) -> str:
    return '"' + str(path).replace("%", "%%") + '"'
