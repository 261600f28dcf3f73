"""Reads `config/plugins/*.py`. A file that cannot be read is told and hinders no other."""

from __future__ import annotations

import contextlib
import importlib.util
import inspect
import signal
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from nephos.plugins import builtin, registry

_LOAD_SECONDS = 5.0

CLASSES: dict[str, type] = {}
"""Connection classes by their name: those with `_send`, `_delete` and `_move`."""


@dataclass(slots=True)
class Found:
    """What the files of a folder brought."""

    rules: list[str] = field(default_factory=list)
    processes: list[str] = field(default_factory=list)
    connections: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)


def load(folder: Path) -> Found:
    """Take in every file of a folder; runs what is written in them, so only ever in a child process."""
    found = Found()
    for place in sorted(folder.glob("*.py")) if folder.is_dir() else []:
        try:
            with _limited(_LOAD_SECONDS):
                _load_one(place)
        except Exception as error:  # noqa: BLE001 - somebody else's code may raise anything
            found.refused[place.name] = f"{type(error).__name__}: {error}"
        except SystemExit as error:
            found.refused[place.name] = f"it ends the program ({error.code})"
    found.rules = sorted(registry.RULES)
    found.processes = sorted(registry.PROCESSES)
    found.connections = sorted(CLASSES)
    return found


@contextlib.contextmanager
def _limited(seconds: float) -> Iterator[None]:
    """A file that never comes to its end is refused; without such an alarm the one who waits for us gives up."""
    if sys.platform == "win32" or threading.current_thread() is not threading.main_thread():
        yield
        return

    def ring(*_: object) -> None:
        raise TimeoutError(f"it was not read within {seconds:g} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _load_one(place: Path) -> None:
    name = f"nephos_plugin_{place.stem}"
    spec = importlib.util.spec_from_file_location(name, place)
    assert spec is not None  # noqa: S101 - a .py file always has one
    assert spec.loader is not None  # noqa: S101
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    for label, value in vars(module).items():
        if inspect.isclass(value) and all(callable(getattr(value, verb, None)) for verb in ("_send", "_delete")):
            CLASSES[label] = value


ALWAYS = builtin.BUILT_IN
