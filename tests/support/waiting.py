"""Wait for something to become true, and say what it was when it did not."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")


def until(look: Callable[[], Found | None], *, seconds: float, what: str) -> Found:
    """The first true answer of `look`; fails the test when it takes many times these seconds.

    They are what a quiet machine needs; a busy one is no reason to fail.
    """
    patience = max(4 * seconds, 60)
    deadline = time.monotonic() + patience
    found = look()
    while not found:
        if time.monotonic() > deadline:
            raise AssertionError(f"Waited {patience:.0f} s in vain for {what}; last seen: {found!r}")
        time.sleep(0.1)
        found = look()
    return found
