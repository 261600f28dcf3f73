"""Background loops: each a `step`, run in a thread of its own until the stop event is set."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

from django.db import close_old_connections, connections

from nephos.core import doorbell
from nephos.lib import backoff, clock
from nephos.lib.heartbeats import Heartbeat

logger = logging.getLogger(__name__)

_FAILURES = backoff.Backoff(first=timedelta(seconds=1), most=timedelta(minutes=1))


class Loop(Protocol):
    """One kind of work. `step` does a little and says whether there is more at once.

    A loop that has a `close()` is closed when the role ends. One that has a `rest` is left alone for so long when
    nothing was committed to the database meanwhile; asked after each step, so it may say what it waits for.
    """

    name: str
    idle: timedelta

    def step(self) -> bool: ...


def run(
    loops: Sequence[Loop], *, stop: threading.Event, heartbeat: Heartbeat, bell: doorbell.Doorbell | None = None
) -> None:
    """Run all loops until `stop` is set; a loop that fails is logged and tried again, it never stops the others."""
    bell = bell or doorbell.Doorbell([])
    health: dict[str, str] = {loop.name: "running" for loop in loops}
    threads = [
        threading.Thread(target=_drive, args=(loop, stop, health, bell), name=loop.name, daemon=True) for loop in loops
    ]
    for thread in threads:
        thread.start()
    while not stop.wait(doorbell.LOOK_SECONDS):
        bell.look()
        heartbeat.beat(details={"loops": dict(health), "ran": _ran(loops)})
    bell.end()
    for thread in threads:
        thread.join(timeout=10)
    heartbeat.beat(state="stopped", now=True)


def _ran(loops: Sequence[Loop]) -> dict[str, str]:
    """When each loop that keeps an interval last did its work."""
    moments = {loop.name: getattr(loop, "ran_at", None) for loop in loops}
    return {name: clock.stamp(at) for name, at in moments.items() if at is not None}


def _rest(loop: Loop) -> float:
    """How much longer than its idle time a loop may be left alone."""
    rest: timedelta = getattr(loop, "rest", loop.idle)
    return max(0.0, (rest - loop.idle).total_seconds())


def _drive(loop: Loop, stop: threading.Event, health: dict[str, str], bell: doorbell.Doorbell) -> None:
    failures = 0
    while not stop.is_set():
        started, heard = clock.monotonic(), bell.count
        try:
            close_old_connections()
            more = loop.step()
            failures = 0
            health[loop.name] = "running"
        except Exception as error:
            logger.exception("A loop failed; it is tried again", extra={"loop": loop.name})
            health[loop.name] = f"failing: {type(error).__name__}"
            stop.wait(_FAILURES.delay(failures).total_seconds())
            failures += 1
            continue
        if not more:
            spent = clock.monotonic() - started
            stop.wait(max(0.0, loop.idle.total_seconds() - min(spent, 0.05)))
            bell.wait(heard, seconds=_rest(loop))
    close = getattr(loop, "close", None)
    if close is not None:
        close()
    connections.close_all()
