"""How much something keeps: elements of all containers and bytes that hang on it, counted, not weighed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

_PLAIN = (int, float, bool, type(None), type)


def count(*roots: object) -> int:
    """Elements and bytes that these objects hold, through objects of ours; each object once."""
    seen: set[int] = set()
    waiting: list[Any] = list(roots)
    total = 0
    while waiting:
        one = waiting.pop()
        if isinstance(one, _PLAIN) or id(one) in seen:
            continue
        seen.add(id(one))
        total += _size(one)
        waiting += _parts(one)
    return total


def _size(one: Any) -> int:
    if isinstance(one, np.ndarray):
        return int(one.size)
    return len(one) if isinstance(one, (str, bytes, bytearray, list, tuple, set, frozenset, dict)) else 1


def _parts(one: Any) -> Iterator[Any]:
    if isinstance(one, Mapping):
        yield from one.keys()
        yield from one.values()
    elif isinstance(one, (list, tuple, set, frozenset)):
        yield from one
    elif type(one).__module__.startswith("nephos."):
        yield from vars(one).values() if hasattr(one, "__dict__") else ()
        slots = (name for kind in type(one).__mro__ for name in getattr(kind, "__slots__", ()))
        yield from (getattr(one, name) for name in slots if hasattr(one, name))
