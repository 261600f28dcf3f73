"""A worker's handle on one slot: starts its guard, speaks to it, and sweeps up if it was killed."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import queue
import subprocess
import sys
import threading
from typing import Any

from nephos.farm import errors, guard, ledger, trees
from nephos.lib import clock

logger = logging.getLogger(__name__)

MARK = "NEPHOS_SLOT"
_SECRET = ("NEPHOS_TOKEN", "NEPHOS_DATABASE_URL", "DATABASE_URL", "NEPHOS_SECRET_KEY")
_START_SECONDS = 30.0
_LEAVE_SECONDS = 5.0


class Slot:
    """Runs one attempt at a time. `mark` must be the same for the same slot of the same worker in every life."""

    def __init__(self, mark: str) -> None:
        self._mark = mark
        self._process: subprocess.Popen[str] | None = None
        self._heard: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._heard_at = 0.0

    @property
    def pid(self) -> int | None:
        """The guard's process id, None if there is none."""
        return self._process.pid if self._process is not None else None

    def ensure(self) -> None:
        """Start the guard if it does not run; what an earlier one left behind is killed first. Raises GuardGone."""
        if self._process is not None and self._process.poll() is None:
            return
        self.stop()
        kept = {name: value for name, value in os.environ.items() if name not in _SECRET}
        self._heard = queue.Queue()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "nephos.farm.guard"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            env={**kept, MARK: self._mark},
            start_new_session=True,  # Ctrl-C in a terminal is the worker's to answer, not the guard's
        )
        threading.Thread(target=_listen, args=(self._process, self._heard), name="slot-ear", daemon=True).start()
        until = clock.monotonic() + _START_SECONDS
        while clock.monotonic() < until:
            message = self.hear(timeout=until - clock.monotonic())
            if message is not None and message["says"] == "ready":
                return
        self.stop()
        raise errors.GuardGone("The guard of a slot did not start.")

    def run(self, assignment: ledger.Assignment, *, until: float) -> None:
        """Begin an attempt that must be over at a moment of the monotonic clock. Raises GuardGone."""
        self._tell(guard.describe(assignment, until))

    def lengthen(self, *, until: float) -> None:
        """Move that moment. Raises GuardGone."""
        self._tell({"do": "lease", "until": until})

    def cancel(self) -> None:
        """End the attempt and its whole tree. Raises GuardGone."""
        self._tell({"do": "cancel"})

    def hear(self, *, timeout: float) -> dict[str, Any] | None:
        """The next message of the guard, None if the time is over. Raises GuardGone when it has died."""
        try:
            message = self._heard.get(timeout=max(0.0, timeout))
        except queue.Empty:
            return None
        if message is None:
            self._heard.put(None)
            raise errors.GuardGone
        self._heard_at = clock.monotonic()
        return message

    def silent_seconds(self) -> float:
        """How long the guard has said nothing; it says something every second."""
        return clock.monotonic() - self._heard_at

    def stop(self) -> None:
        """End the guard, by force if need be, and everything that carries the slot's mark."""
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(OSError):
                if process.stdin is not None:
                    process.stdin.close()
            try:
                process.wait(timeout=_LEAVE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        left = trees.kill_all(lambda: trees.marked(MARK, self._mark))
        if left:
            logger.error("Processes of an attempt cannot be killed", extra={"slot": self._mark, "pids": sorted(left)})

    def kill(self) -> None:
        """End a guard that does not answer."""
        if self._process is not None:
            self._process.kill()
        self.stop()

    def _tell(self, command: dict[str, Any]) -> None:
        process = self._process
        if process is None or process.stdin is None:
            raise errors.GuardGone
        try:
            process.stdin.write(json.dumps(command) + "\n")
            process.stdin.flush()
        except (OSError, ValueError) as error:
            raise errors.GuardGone from error


def _listen(process: subprocess.Popen[str], heard: queue.Queue[dict[str, Any] | None]) -> None:
    assert process.stdout is not None  # noqa: S101 - asked for by PIPE
    with contextlib.suppress(ValueError, OSError), process.stdout as stream:
        for line in stream:
            heard.put(json.loads(line))
    heard.put(None)
