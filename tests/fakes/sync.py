"""A station that only syncs: a home with settings, and the engine in a thread or in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nephos.config import load
from nephos.config.home import Home
from nephos.sync import engine, orders, outbox, queries

_TREE = Path(__file__).parents[2]
_RUN = """
import importlib, os
import pathlib, signal, sys, threading
from nephos.config import load
from nephos.core import logs
from nephos.sync import engine
stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
if "NEPHOS_TEST_BOUNDARY" in os.environ:
    from tests.fakes import boundaries
    boundaries.install(os.environ["NEPHOS_TEST_BOUNDARY"])
if "NEPHOS_TEST_HOOKS" in os.environ:
    importlib.import_module(os.environ["NEPHOS_TEST_HOOKS"]).install()
loaded = load.load(pathlib.Path(sys.argv[1]))
logs.setup(loaded, role="sync", console=True)
engine.main(loaded, stop)
assert "django" not in sys.modules
"""


@dataclass
class Station:
    """Settings are plain tables; `write` saves them to the home's file."""

    root: Path
    tables: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.tables.setdefault("sync", {"settle_seconds": 0.2, "rescan_seconds": 3600})
        self.tables.setdefault("logging", {"level": "debug"})
        self.home.create()

    @property
    def home(self) -> Home:
        return Home.at(self.root)

    @property
    def loaded(self) -> load.Loaded:
        return load.load(self.root, environment={})

    @property
    def beat(self) -> str:
        """The heartbeat as it is written, empty before the first."""
        place = self.home.run / "sync.json"
        return place.read_text() if place.exists() else ""

    @property
    def log(self) -> str:
        return (self.home.logs / "sync.log").read_text()

    def connect(self, name: str, kind: str, base: str, options: Mapping[str, Any] | None = None, **more: Any) -> None:
        """A connection and a destination of one name."""
        self.tables.setdefault("connection", {})[name] = {"kind": kind, "options": dict(options or {})}
        self.tables.setdefault("destination", {})[name] = {"connection": name, "base": base, **more}

    def watch(self, name: str, *destinations: str, **more: Any) -> None:
        values = {key: str(value) if isinstance(value, Path) else value for key, value in more.items()}
        self.tables.setdefault("watch", {})[name] = {"destinations": list(destinations), **values}

    def write(self) -> None:
        self.home.config_file.write_text(toml(self.tables))

    def order(self, kind: str, key: str = "", **body: Any) -> None:
        orders.put(self.home, key=key or f"{kind}-{time.monotonic_ns()}", kind=kind, body=body)

    def states(self, destination: str = "") -> dict[str, str]:
        """State of each path; of several destinations the one that is least far."""
        found = queries.transfers(self.home, queries.Choice(destination=destination), limit=10_000)
        states: dict[str, str] = {}
        for each in found:
            if states.get(each.path, "delivered") == "delivered":
                states[each.path] = str(each.state)
        return states

    def messages(self, kind: str) -> list[dict[str, Any]]:
        found = outbox.read(self.home.sync_database, after=0, limit=100_000)
        return [message.body for message in found if message.kind == kind]

    def until(self, condition: Callable[[], object], *, seconds: float = 60) -> None:
        """Wait for something to become true; a busy machine may take several times these seconds."""
        deadline = time.monotonic() + max(4 * seconds, 60)
        while not condition():
            assert time.monotonic() < deadline, f"not in {seconds} s; {queries.transfers(self.home)}"
            time.sleep(0.02)

    def until_delivered(self, *paths: str, seconds: float = 60) -> None:
        self.until(lambda: all(self.states().get(path) == "delivered" for path in paths), seconds=seconds)

    @contextmanager
    def running(self) -> Iterator[None]:
        """The engine in a thread of this process."""
        self.write()
        stop = threading.Event()
        failures: list[BaseException] = []

        def run() -> None:
            try:
                engine.main(self.loaded, stop)
            except BaseException as error:  # noqa: BLE001 - shown by the assertion below
                failures.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(timeout=30)
            assert not thread.is_alive()
        assert not failures, failures

    def spawn(
        self, *, boundary: str = "", quiet: bool = False, environment: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        """The engine in a process of its own; see `boundaries` for one that is killed at a commit of the journal.

        `NEPHOS_TEST_HOOKS` in the environment names a module whose `install` is called before it begins.
        """
        self.write()
        environment = {
            **os.environ,
            "NO_COLOR": "1",
            "PYTHONPATH": os.pathsep.join((f"{_TREE}/src", str(_TREE))),
            **(environment or {}),
        }
        if boundary:
            environment["NEPHOS_TEST_BOUNDARY"] = boundary
        log = subprocess.DEVNULL if quiet else None
        return subprocess.Popen([sys.executable, "-c", _RUN, str(self.root)], env=environment, stdout=log, stderr=log)


def kill(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=10)


def end(process: subprocess.Popen[bytes]) -> None:
    """Stop politely; it must end by itself and well."""
    process.terminate()
    assert process.wait(timeout=20) == 0


def toml(tables: Mapping[str, Any], prefix: str = "") -> str:
    """Plain tables as TOML; JSON's strings, numbers and lists are TOML's too."""
    lines = [f"{key} = {_plain(value)}" for key, value in tables.items() if not isinstance(value, Mapping)]
    text = (f"[{prefix}]\n" if prefix else "") + "\n".join(lines) + "\n"
    for key, value in tables.items():
        if isinstance(value, Mapping):
            text += toml(value, f"{prefix}.{key}" if prefix else key)
    return text


def _plain(value: object) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_plain(entry) for entry in value) + "]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key} = {_plain(entry)}" for key, entry in value.items()) + "}"
    return json.dumps(value)
