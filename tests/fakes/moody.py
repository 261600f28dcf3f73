"""An SFTP server that can do what OpenSSH's can, and hangs up in the middle of a request of one's choice."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncssh

from tests.fakes import sftp
from tests.fakes.s3 import free_port

PHASES = ("open", "write", "fsetstat", "fsync", "close", "posix_rename", "stat")


@dataclass
class Moody(sftp.PasswordServer):
    """`hang_up_at` a phase and `before` or `after` it is done: once, then it is well-behaved."""

    hang_up_at: tuple[str, str] | None = None
    after_requests: int = 0  # of that kind that are done well before
    hung_up: list[str] = field(default_factory=list)

    def is_due(self, phase: str, when: str) -> bool:
        if self.hang_up_at != (phase, when):
            return False
        self.after_requests -= 1
        if self.after_requests >= 0:
            return False
        self.hang_up_at = None
        self.hung_up.append(phase)
        return True


@contextlib.contextmanager
def sulking(folder: Path) -> Iterator[Moody]:
    """The server in a thread."""
    moody = Moody(folder, free_port())
    moody.root.mkdir(parents=True)
    sftp.keygen(folder / "host")
    (folder / "password").touch(mode=0o600)
    (folder / "password").write_text(sftp.PASSWORD)
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(
        asyncssh.listen(
            "127.0.0.1",
            moody.port,
            server_host_keys=[str(folder / "host")],
            server_factory=sftp.Door,
            sftp_factory=lambda channel: _Server(channel, moody),
            sftp_version=3,
        )
    )
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield moody
    finally:
        asyncio.run_coroutine_threadsafe(sftp.end(server), loop).result(timeout=10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(timeout=10)
        loop.close()


class _Server(asyncssh.SFTPServer):
    """Each request passes the mood."""

    def __init__(self, channel: Any, moody: Moody) -> None:
        super().__init__(channel, chroot=str(moody.root).encode())
        self._moody = moody


def _moody(phase: str) -> Any:
    usual = getattr(asyncssh.SFTPServer, phase)

    def request(self: Any, *values: Any) -> Any:
        if self._moody.is_due(phase, "before"):
            self.channel.get_connection().abort()
            if phase == "close":
                values[0].close()
            raise asyncssh.SFTPConnectionLost("hung up")
        done = usual(self, *values)
        if self._moody.is_due(phase, "after"):
            if phase == "open":
                done.close()
            self.channel.get_connection().abort()
            raise asyncssh.SFTPConnectionLost("hung up")
        return done

    return request


for _phase in PHASES:
    setattr(_Server, _phase, _moody(_phase))
