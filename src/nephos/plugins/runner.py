"""Asks people's code, in a child process and with a time limit. One that hangs is ended, and the next is asked anew."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from nephos.lib import clock, errors
from nephos.plugins import builtin, registry

_START_SECONDS = 20.0
_MOST_BYTES = 1 << 20
LIMIT_SECONDS = 10.0


class PluginFailed(errors.NephosError):
    """A plug-in raised an error or took too long."""

    permanent: ClassVar[bool] = True


class Runner:
    """One child process at a time; questions wait for one another. For several threads."""

    def __init__(self, folder: Path, *, limit_seconds: float = LIMIT_SECONDS) -> None:
        self._folder = folder
        self._limit = limit_seconds
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self.found: dict[str, Any] = {}

    def describe(self) -> dict[str, Any]:
        """What the files of the folder bring: rules, processes, connections, refused. Raises PluginFailed."""
        with self._lock:
            self._started()
            return self.found

    def takes(self, rule: str, path: Path, options: Mapping[str, registry.Option]) -> bool:
        """What a rule says of a file; the built-in ones answer here. Raises PluginFailed."""
        if rule in builtin.BUILT_IN:
            try:
                return registry.RULES[rule](path, **options)
            except (TypeError, ValueError, OSError) as error:
                raise PluginFailed(f"The rule {rule} failed: {error}.") from error
        return bool(self._ask({"verb": "rule", "name": rule, "path": str(path), "options": dict(options)}))

    def process(self, name: str, path: Path, *, limit_seconds: float = 3600.0) -> None:
        """Let a process do its work on a file, in its place. Raises PluginFailed."""
        self._ask({"verb": "process", "name": name, "path": str(path)}, limit=limit_seconds)

    def call(self, verb: str, name: str, options: Mapping[str, Any], *arguments: str, limit_seconds: float) -> None:
        """`_send`, `_delete` or `_move` of a connection class. Raises PluginFailed."""
        key = json.dumps([name, dict(options)], sort_keys=True)
        question = {"verb": verb, "name": name, "key": key, "options": dict(options), "arguments": list(arguments)}
        self._ask(question, limit=limit_seconds)

    def close(self) -> None:
        """End the child."""
        with self._lock:
            self._end()

    def _ask(self, question: dict[str, Any], *, limit: float | None = None) -> object:
        with self._lock:
            child = self._started()
            assert child.stdin is not None  # noqa: S101 - it is a pipe
            try:
                child.stdin.write(json.dumps(question).encode() + b"\n")
                child.stdin.flush()
            except OSError as error:
                self._end()
                raise PluginFailed(f"{question['name']} could not be asked: {error}.") from error
            answer = self._read(child, question["name"], limit or self._limit)
        if "error" in answer:
            raise PluginFailed(f"{question['name']} failed: {answer['error']}.")
        return answer["answer"]

    def _started(self) -> subprocess.Popen[bytes]:
        if self._child is None or self._child.poll() is not None:
            argv = [sys.executable, "-m", "nephos.plugins.host", str(self._folder)]
            self._child = subprocess.Popen(
                argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=os.name == "posix"
            )
            self.found = self._read(self._child, "config/plugins", _START_SECONDS)
        return self._child

    def _read(self, child: subprocess.Popen[bytes], name: str, limit: float) -> dict[str, Any]:
        assert child.stdout is not None  # noqa: S101 - it is a pipe
        deadline = clock.monotonic() + limit
        line = b""
        with selectors.DefaultSelector() as selector:
            selector.register(child.stdout, selectors.EVENT_READ)
            while not line.endswith(b"\n"):
                if not selector.select(max(0.0, deadline - clock.monotonic())):
                    self._end()
                    raise PluginFailed(f"{name} did not answer within {limit:g} s.")
                block = os.read(child.stdout.fileno(), 65536)
                line += block
                if not block or len(line) > _MOST_BYTES:
                    self._end()
                    raise PluginFailed(f"{name} ended the process that it ran in.")
        try:
            answer: dict[str, Any] = json.loads(line)
        except ValueError as error:
            self._end()
            raise PluginFailed(f"{name} answered with something that is no answer.") from error
        return answer

    def _end(self) -> None:
        if self._child is None:
            return
        if sys.platform != "win32":  # with all that it made: it has a session of its own
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._child.pid, signal.SIGKILL)
        else:
            self._child.kill()
        self._child.wait()
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe is not None:
                pipe.close()
        self._child = None
