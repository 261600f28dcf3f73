"""News of a folder: the system's own where it gives any, else none, and the timed scan does all the work."""

from __future__ import annotations

import logging
from typing import Protocol

from nephos.sync import inotify, names
from nephos.sync.hints import Hints

logger = logging.getLogger(__name__)


class Watcher(Protocol):
    """Says where to look. Never the truth, only a hint."""

    @property
    def partial(self) -> bool: ...
    def take(self) -> Hints: ...
    def close(self) -> None: ...


class Blind:
    """Knows nothing: everything is found by scanning."""

    partial = True

    def take(self) -> Hints:
        return Hints()

    def close(self) -> None:
        """There is nothing to close."""


def watch(root: bytes) -> Watcher:
    """The best watcher for a folder."""
    if not inotify.is_there():
        return Blind()
    try:
        return inotify.Inotify(root)
    except OSError as error:
        logger.info(
            "No news from the system for a folder, it is scanned",
            extra={"folder": names.shown(root), "why": str(error)},
        )
        return Blind()
