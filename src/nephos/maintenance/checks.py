"""Keeper loops that look after the station.

Each check has a thread of its own, so that a slow one (a listening pool, a full scan, a large deletion) delays no
other; and recording shares nothing with any of them: the recorder is a process of its own without a database.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.contrib.sessions.models import Session

from nephos.config import upkeep
from nephos.config.live import Live
from nephos.config.load import Loaded
from nephos.config.schema import Settings
from nephos.core import loops as core_loops
from nephos.lib import clock
from nephos.maintenance import (
    alive,
    digest,
    freeing,
    held,
    in_force,
    missed,
    onair,
    programs,
    signal,
    space,
    waiting,
)
from nephos.monitoring.paced import Pace, Paced

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


@dataclass(frozen=True, slots=True)
class _Ticking:
    """A check that keeps the intervals of many things itself and only wants to be asked often."""

    enabled: bool
    interval_seconds: float = 1.0


def _of(pick: Callable[[upkeep.Maintenance], Pace]) -> Callable[[Settings], Pace]:
    return lambda settings: pick(settings.maintenance)


def loops(loaded: Loaded) -> list[core_loops.Loop]:
    """The keeper's part of this package."""
    live = Live(loaded)
    on_air, hears, roles, settings = onair.OnAir(), signal.Signal(), alive.Roles(), in_force.InForce(live)
    needed = programs.Programs()
    return [
        SessionsLoop(),
        Paced("disk", live, pace=_of(lambda every: every.disk), check=space.check, rest=space.rest),
        Paced(
            "channels",
            live,
            pace=_of(lambda every: _Ticking(every.channels.enabled)),
            check=on_air.check,
            rest=on_air.rest,
            now=on_air.look_now,
        ).patient(timedelta(seconds=5)),
        Paced("signal", live, pace=_of(lambda every: every.signal), check=hears.check, rest=hears.rest),
        Paced("missed", live, pace=_of(_of_missed), check=_missed),
        Paced("roles", live, pace=_of(lambda every: every.roles), check=roles.check, rest=roles.rest),
        _deliveries(live),
        Paced("programs", live, pace=_of(lambda every: every.programs), check=needed.check, rest=needed.rest),
        Paced("settings", live, pace=_of(lambda every: every.settings), check=settings.check, rest=in_force.rest),
        Paced("digest", live, pace=_of(lambda every: every.digest), check=digest.check, now=digest.tell_now),
        Paced("retention", live, pace=_of(lambda every: every.retention), check=freeing.check),
    ]


def _deliveries(live: Live) -> Paced:
    waits = waiting.Waiting()

    def check(loaded: Loaded) -> None:
        held.check(loaded)
        waits.check(loaded)

    def rest() -> None:
        held.rest()
        waits.rest()

    return Paced("deliveries", live, pace=_of(lambda every: every.deliveries), check=check, rest=rest)


def _of_missed(every: upkeep.Maintenance) -> Pace:
    """Goes on when it is switched off, in silence: what was missed meanwhile is not told later."""
    return _Ticking(enabled=True, interval_seconds=every.missed.interval_seconds)


def _missed(loaded: Loaded) -> bool:
    return missed.check(tells=loaded.settings.maintenance.missed.enabled)
