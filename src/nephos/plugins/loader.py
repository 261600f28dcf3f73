"""Reads `config/plugins/*.py`. A file that cannot be read is told and hinders no other."""

from __future__ import annotations

import importlib.util
import inspect
import sys
from dataclasses import dataclass, field
from pathlib import Path

from nephos.plugins import builtin, registry

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
            _load_one(place)
        except Exception as error:  # noqa: BLE001 - somebody else's code may raise anything
            found.refused[place.name] = f"{type(error).__name__}: {error}"
        except SystemExit as error:
            found.refused[place.name] = f"it ends the program ({error.code})"
    found.rules = sorted(registry.RULES)
    found.processes = sorted(registry.PROCESSES)
    found.connections = sorted(CLASSES)
    return found


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
