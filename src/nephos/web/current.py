"""The settings in force now: the file may have changed since this process started."""

from __future__ import annotations

import functools

from nephos.config.live import Live
from nephos.config.load import Loaded
from nephos.core import bootstrap


@functools.cache
def _live() -> Live:
    return Live(bootstrap.loaded())


def loaded() -> Loaded:
    """As the roles see them: a change that was refused leaves the old ones in force."""
    return _live().current()
