"""A pytest plug-in: our own modules may not import what only Unix has, as if this were Windows.

Only imports made by `nephos` are refused: the standard library of this machine needs some of them itself.
"""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from typing import Any

BLOCKED = frozenset({"fcntl", "pwd", "resource", "termios", "uvloop"})
_real_import = builtins.__import__


def _import(
    name: str,
    names: Mapping[str, Any] | None = None,
    local_names: Mapping[str, Any] | None = None,
    fromlist: Sequence[str] | None = (),
    level: int = 0,
) -> Any:
    importer = str((names or {}).get("__name__", ""))
    if name in BLOCKED and importer.startswith("nephos"):
        raise ImportError(f"{name} is blocked for {importer}")
    return _real_import(name, names, local_names, fromlist, level)


builtins.__import__ = _import  # type: ignore[assignment]
