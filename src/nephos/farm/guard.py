"""The process under every slot of a worker: runs attempts one after another and leaves nothing behind.

Started as `python -m nephos.farm.guard`. It speaks JSON, one message a line.

    worker -> guard   {"do": "run", "assignment": {...}, "until": m}   {"do": "lease", "until": m}   {"do": "cancel"}
    guard -> worker   {"says": "ready"}  {"says": "alive"}  {"says": "log", "lines": [...]}
                      {"says": "progress", "fraction": f, "text": t}
                      {"says": "ended", "ok": b, "outputs": [...], "reason": t, "exit_code": n, "retry": b, "cause": c}

`until` is a moment of the machine's monotonic clock, which both processes share. At that moment, and when the worker
dies (standard input ends), the whole tree of the attempt is killed. Being a subreaper, the guard also finds
grandchildren that called setsid. If the guard itself is killed, whoever starts the next one sweeps by the mark in the
environment.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import logging
import os
import queue
import signal
import sys
import threading
from collections import deque
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import IO, Any

from nephos.farm import errors, harvest, ledger, runner, trees
from nephos.lib import clock, ports

GRACE = timedelta(seconds=2)
_TICK_SECONDS = 0.05
_FLUSH_SECONDS = 0.25
_LINES_A_FLUSH = 500
_LINE_CHARACTERS = 2000
_NICE = 10


class Mouth:
    """Speaks to the worker from a thread of its own: a worker that stands still must not stop the watch."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._messages: queue.Queue[dict[str, Any]] = queue.Queue(maxsize=1000)
        threading.Thread(target=self._write, name="mouth", daemon=True).start()

    def say(self, says: str, **facts: Any) -> None:
        """Tell the worker; waits if it does not listen. For what must not be lost."""
        self._messages.put({"says": says, **facts})

    def murmur(self, says: str, **facts: Any) -> None:
        """Tell the worker unless it does not listen."""
        with contextlib.suppress(queue.Full):
            self._messages.put_nowait({"says": says, **facts})

    def _write(self) -> None:
        while True:
            message = self._messages.get()
            try:
                self._stream.write(json.dumps(message) + "\n")
                self._stream.flush()
            except OSError:
                return  # the worker is gone; the end of standard input tells the rest


class Ear:
    """Collects what a task says, and tells it on in bundles: a flooding tool must not drown the ledger."""

    def __init__(self, mouth: Mouth) -> None:
        self._mouth = mouth
        self._lines: deque[str] = deque()
        self._left_out = 0
        self._progress: tuple[float, str] | None = None
        self._lock = threading.Lock()

    def line(self, text: str) -> None:
        with self._lock:
            self._lines.append(text[:_LINE_CHARACTERS])
            if len(self._lines) > _LINES_A_FLUSH:
                self._lines.popleft()
                self._left_out += 1

    def progress(self, fraction: float, text: str) -> None:
        with self._lock:
            self._progress = (fraction, text[:_LINE_CHARACTERS])

    def flush(self) -> None:
        """Tell what came since the last time."""
        with self._lock:
            lines, self._lines = list(self._lines), deque()
            left_out, self._left_out = self._left_out, 0
            progress, self._progress = self._progress, None
        if left_out:
            lines.insert(0, f"[{left_out} lines left out]")
        if lines:
            self._mouth.murmur("log", lines=lines)
        if progress:
            self._mouth.murmur("progress", fraction=progress[0], text=progress[1])


class Guard:
    """Three threads: `main` runs attempts, `ear` obeys the worker, `watch` ends what must end."""

    def __init__(self, commands: IO[str], mouth: Mouth) -> None:
        self._commands = commands
        self._mouth = mouth
        self._ear = Ear(mouth)
        self._waiting: queue.Queue[ledger.Assignment] = queue.Queue()
        self._run: runner.Run | None = None
        self._until = 0.0
        self._kill_at: float | None = None
        self._cause = ""

    def main(self) -> None:
        """Run until the worker goes away."""
        ports.adopt_orphans()
        threading.Thread(target=self._obey, name="obey", daemon=True).start()
        threading.Thread(target=self._watch, name="watch", daemon=True).start()
        # On Linux this counts for this thread and what it starts, so the two threads above stay quick: processing is
        # nice to recording, the watch on the lease is not.
        if hasattr(os, "nice"):
            os.nice(_NICE)
        importlib.import_module("openjd.sessions")  # half a second that no attempt should wait for
        self._mouth.say("ready", pid=os.getpid())
        while True:
            self._attend(self._waiting.get())

    def _attend(self, assignment: ledger.Assignment) -> None:
        folder = Path(assignment.folder)
        outputs: list[ledger.Output] = []
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._run = runner.Run(assignment, folder=folder, listener=self._ear)
            outcome = self._run.execute() if not self._cause else runner.Outcome(ok=False, retry=True)
            trees.kill_all(self._below)  # what a task left running in the background ends with it
            if outcome.ok and not self._cause:
                outputs = harvest.gather(self._run.working_folder, folder)
        except errors.BadOutputs as error:
            outcome = runner.Outcome(ok=False, reason=error.message)
        except (OSError, RuntimeError) as error:
            outcome = runner.Outcome(ok=False, reason=f"The worker could not run this: {error}", retry=True)
        finally:
            self._run = None
        trees.reap()
        self._ear.flush()
        cause, self._kill_at = self._cause, None
        self._mouth.say(
            "ended",
            attempt=assignment.attempt,
            ok=outcome.ok and not cause,
            outputs=[output.plain() for output in outputs],
            reason=outcome.reason,
            exit_code=outcome.exit_code,
            retry=outcome.retry,
            cause=cause,
        )

    def _obey(self) -> None:
        with contextlib.suppress(ValueError):  # a line that is no JSON: the worker is not ours, or half-dead
            for line in self._commands:
                command = json.loads(line)
                if command["do"] == "run":
                    self._cause, self._kill_at, self._until = "", None, command["until"]
                    self._waiting.put(ledger.Assignment(**command["assignment"]))
                elif command["do"] == "lease":
                    self._until = command["until"]
                elif command["do"] == "cancel":
                    self._cancel()
        self.leave()

    def _cancel(self) -> None:
        self._cause = self._cause or "cancelled"
        self._kill_at = clock.monotonic() + GRACE.total_seconds()
        run = self._run
        if run is not None:
            run.stop(grace=GRACE)

    def _watch(self) -> None:
        flush_at = alive_at = 0.0
        while True:
            ports.pause(_TICK_SECONDS)
            now = clock.monotonic()
            run = self._run
            if run is not None and self._kill_at is None and now >= self._until:
                self._cause, self._kill_at = "lease", now
                run.forbid()
            if run is not None and self._kill_at is not None and now >= self._kill_at:
                trees.kill_all(self._below, within=0.5)
            if now >= flush_at:
                self._ear.flush()
                flush_at = now + _FLUSH_SECONDS
            if now >= alive_at:
                self._mouth.murmur("alive")
                alive_at = now + 1

    def _below(self) -> set[int]:
        return trees.descendants(os.getpid())

    def leave(self) -> None:
        """Kill everything and go, at once."""
        trees.kill_all(self._below)
        os._exit(0)


def describe(assignment: ledger.Assignment, until: float) -> dict[str, Any]:
    """The command that starts an attempt."""
    return {"do": "run", "assignment": asdict(assignment), "until": until}


def main() -> None:
    """Keep standard output for the worker alone: whatever a library prints goes to standard error."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    stream = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    guard = Guard(sys.stdin, Mouth(stream))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: guard.leave())
    guard.main()


if __name__ == "__main__":
    main()
