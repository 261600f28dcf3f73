"""Wait for something to become true, and say what it was when it did not."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")


def until(look: Callable[[], Found | None], *, seconds: float, what: str) -> Found:
    """The first true answer of `look`; fails the test after so many seconds."""
    deadline = time.monotonic() + seconds
    found = look()
    while not found:
        if time.monotonic() > deadline:
            raise AssertionError(f"Waited {seconds:.0f} s in vain for {what}; last seen: {found!r}")
        time.sleep(0.1)
        found = look()
    return found
