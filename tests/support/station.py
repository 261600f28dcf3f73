"""A real station for the e2e tests: `nephos start` on a fresh home, driven by its own commands."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nephos.lib import files, locks
from tests.support import waiting

NEPHOS = [sys.executable, "-m", "nephos"]


def free_port() -> int:
    """A TCP port that nobody uses just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Station:
    """One home and the processes on it."""

    def __init__(self, root: Path, **environment: str) -> None:
        self.root = root
        self.port = free_port()
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("NEPHOS_")},
            "NEPHOS_HOME": str(root),
            "NEPHOS_WEB_PORT": str(self.port),
            **environment,
        }
        self.program: Sequence[str] = NEPHOS  # another one for tests of upgrades
        self.process: subprocess.Popen[bytes] | None = None
        self.output = root.with_name(f"{root.name}.out")

    # --- processes ---------------------------------------------------------------------------------------------------

    def spawn(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Run `nephos start` and do not wait for anything."""
        with self.output.open("ab") as log:
            self.process = subprocess.Popen(
                [*self.program, "start", *arguments],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return self.process

    def start(self, *arguments: str) -> None:
        """Start and wait until all roles are alive and the API answers."""
        process = self.spawn(*arguments)

        def ready() -> bool:
            assert process.poll() is None, self.output.read_text(errors="replace")
            if not (self.root / "run/api.sock").exists():
                return False
            status = self.run("status", "--json", check=False)
            if status.returncode != 0:
                return False
            return all(role["state"] == "running" for role in json.loads(status.stdout)["roles"])

        waiting.until(ready, seconds=60, what=f"the station to come up: {self.tail()}")

    def stop(self) -> None:
        """Ctrl-C, and wait."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise

    def kill(self) -> None:
        """kill -9 of the supervisor."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def pid_of(self, role: str) -> int | None:
        """The living process of a role."""
        lock = locks.FileLock(self.root / f"run/{role}.lock")
        return lock.holder() if lock.path.exists() and lock.is_held() else None

    def kill_role(self, role: str) -> int:
        """kill -9 of a role; its pid."""
        pid = waiting.until(lambda: self.pid_of(role), seconds=20, what=f"{role} to live")
        os.kill(pid, signal.SIGKILL)
        return pid

    def tail(self) -> str:
        """The end of what `nephos start` said."""
        return self.output.read_text(errors="replace")[-3000:] if self.output.exists() else ""

    # --- commands ----------------------------------------------------------------------------------------------------

    def run(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """A `nephos` command on this home."""
        done = subprocess.run(
            [*self.program, *arguments],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        if check and done.returncode != 0:
            raise AssertionError(f"nephos {' '.join(arguments)}: {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    def json(self, *arguments: str) -> Any:
        """What a command prints with --json."""
        return json.loads(self.run(*arguments, "--json").stdout)

    def recordings(self) -> list[dict[str, Any]]:
        """All recordings, newest first."""
        found: list[dict[str, Any]] = self.json("recording", "list")
        return found

    def await_recording(self, states: Sequence[str], *, seconds: float) -> dict[str, Any]:
        """The newest recording once it is in one of these states."""

        def look() -> dict[str, Any] | None:
            found = self.recordings()
            return found[0] if found and found[0]["state"] in states else None

        row = waiting.until(look, seconds=seconds, what=f"a recording to be {' or '.join(states)}")
        whole: dict[str, Any] = self.json("recording", "show", str(row["id"]))
        return whole

    def login_link(self) -> str:
        """The link that `start` printed last."""
        links = re.findall(r"http://\S+/login/\S+", self.output.read_text())
        return links[-1]

    def beat(self, role: str) -> dict[str, Any]:
        """The last heartbeat of a role."""
        found: dict[str, Any] = files.read_json(self.root / f"run/{role}.json") or {}
        return found
