"""One child process per role: started, watched, restarted with back-off, stopped."""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from datetime import timedelta

from nephos.config.load import Loaded
from nephos.daemon import front, roles
from nephos.lib import backoff, clock, ports

logger = logging.getLogger(__name__)

# The first restart is at once: a crashed recorder must be back within the second.
_RESTARTS = backoff.Backoff(first=timedelta(seconds=1), most=timedelta(minutes=1), at_once=True)
# What is on the air does not wait: the recorder starts in a moment and costs nothing while it fails.
_OF_RECORDER = backoff.Backoff(first=timedelta(seconds=0.5), most=timedelta(seconds=2), at_once=True)
_STEADY_AFTER = 10.0  # who lived so long is not one that cannot start


@dataclass(slots=True)
class Child:
    """A role's process and its history of failures in a row."""

    role: str
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    failures: int = 0
    due: float | None = None  # monotonic time of the next start
    stopping: bool = field(default=False)


class Children:
    """All roles of one station. Spawns only from the thread that made it: the death signal is tied to that thread."""

    def __init__(self, loaded: Loaded, *, pipe: int | None = None) -> None:
        self._loaded = loaded
        self._pipe = pipe
        self._ended: queue.SimpleQueue[tuple[str, int]] = queue.SimpleQueue()
        self._all: dict[str, Child] = {}

    def start(self, role: str) -> None:
        """Start a role's process now."""
        child = self._all.setdefault(role, Child(role))
        child.process = self._spawn(role)
        if roles.get(role).goes_first:  # not only once it has loaded: on a busy machine that takes a while
            ports.go_first(child.process.pid)
        child.started, child.due = clock.monotonic(), None
        threading.Thread(target=self._await, args=(role, child.process), name=f"await-{role}", daemon=True).start()

    def _spawn(self, role: str) -> subprocess.Popen[bytes]:
        argv = [sys.executable, "-m", "nephos.daemon", role, str(self._loaded.home.root)]
        environment = {**os.environ, roles.SUPERVISED: str(os.getpid())}
        # A session of its own: Ctrl-C in the terminal reaches the supervisor alone, which stops in order.
        if self._pipe is None:
            return subprocess.Popen(argv, env=environment, stdin=subprocess.DEVNULL, start_new_session=True)
        # Beside a prompt only whole log lines may appear; what else a role or its tools print goes to a file.
        environment[front.PIPE] = str(self._pipe)
        with (self._loaded.home.logs / "start.log").open("ab") as log:
            return subprocess.Popen(
                argv,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(self._pipe,),
                start_new_session=True,
            )

    def _await(self, role: str, process: subprocess.Popen[bytes]) -> None:
        self._ended.put((role, process.wait()))

    def watch(self, timeout: float) -> None:
        """Wait for a death or for a due restart, at most `timeout` seconds, and deal with it."""
        soonest = min((c.due for c in self._all.values() if c.due is not None), default=None)
        wait = timeout if soonest is None else min(timeout, max(0.0, soonest - clock.monotonic()))
        try:
            role, code = self._ended.get(timeout=max(wait, 0.001))
        except queue.Empty:
            pass
        else:
            self._note_end(self._all[role], code)
        for child in list(self._all.values()):
            if child.due is not None and child.due <= clock.monotonic() and not child.stopping:
                self.start(child.role)

    def _note_end(self, child: Child, code: int) -> None:
        child.process = None
        if child.stopping:
            return
        if clock.monotonic() - child.started > _STEADY_AFTER:
            child.failures = 0
        delay = (_OF_RECORDER if child.role == "recorder" else _RESTARTS).delay(child.failures)
        child.failures += 1
        child.due = clock.monotonic() + delay.total_seconds()
        logger.error("A role ended and is started again", extra={"role": child.role, "exit": code, "delay": delay})

    def stop(self, role: str, *, grace: timedelta) -> None:
        """TERM, wait for the grace, then KILL the role's process group."""
        child = self._all.get(role)
        if child is None:
            return
        child.stopping, child.due = True, None
        process = child.process
        if process is None:
            return
        process.terminate()
        try:
            process.wait(timeout=grace.total_seconds())
        except subprocess.TimeoutExpired:
            logger.warning("A role did not end in time and is killed", extra={"role": role})
            _kill_group(process)
            process.wait()

    def alive(self) -> list[str]:
        """Roles with a living process."""
        return [child.role for child in self._all.values() if child.process is not None]


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    if sys.platform == "win32":
        process.kill()
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
