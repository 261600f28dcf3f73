"""The door through which rules and processes come in, ours as well as people's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

Option = str | int | float | bool | list[str]
Rule = Callable[..., bool]
"""`rule_x(path, **options)`: whether a file is taken."""
Process = Callable[[Path], Any]
"""`process_x(path)`: does something to a copy of a file, in its place."""

RULES: dict[str, Rule] = {}
PROCESSES: dict[str, Process] = {}

_AnyRule = TypeVar("_AnyRule", bound=Rule)
_AnyProcess = TypeVar("_AnyProcess", bound=Process)


def register_rule(function: _AnyRule) -> _AnyRule:
    """Make `rule_x` known under its own name. Raises ValueError for another kind of name."""
    RULES[_named(function.__name__, "rule_")] = function
    return function


def register_process(function: _AnyProcess) -> _AnyProcess:
    """Make `process_x` known under its own name. Raises ValueError for another kind of name."""
    PROCESSES[_named(function.__name__, "process_")] = function
    return function


def _named(name: str, start: str) -> str:
    if not name.startswith(start) or name == start:
        raise ValueError(f"{name} must be called {start}something")
    return name
