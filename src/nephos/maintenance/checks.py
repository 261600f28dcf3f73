"""Keeper loops that look after the station."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.contrib.sessions.models import Session

from nephos.config.load import Loaded
from nephos.core import loops as core_loops
from nephos.lib import clock

logger = logging.getLogger(__name__)


class SessionsLoop:
    """Removes sessions that have run out, so that the table does not grow for years."""

    name = "sessions"
    idle = timedelta(hours=1)

    def step(self) -> bool:
        """Delete what is over."""
        removed, _ = Session.objects.filter(expire_date__lt=clock.now()).delete()
        if removed:
            logger.info("Old sessions removed", extra={"sessions": removed})
        return False


def loops(_loaded: Loaded) -> list[core_loops.Loop]:
    """The keeper's part of this package."""
    return [SessionsLoop()]
