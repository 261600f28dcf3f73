"""A thread that does one kind of work for a destination, again and again, until it is told to stop."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from nephos.lib import backoff, clock
from nephos.sync import timetable
from nephos.sync.outlet import Outlet

logger = logging.getLogger(__name__)

_TROUBLE = backoff.Backoff()
_LOOK_SECONDS = 0.1


class Hand:
    """Does `work` whenever it is woken and every so often besides. It is also the stop event of what it does."""

    def __init__(self, outlet: Outlet, *, name: str, work: Callable[[], None], idle_seconds: float = 0.5) -> None:
        self._outlet = outlet
        self._work = work
        self._idle_seconds = idle_seconds
        self._awake = threading.Event()
        self._interrupted = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"{outlet.target.name}-{name}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """There may be something to do."""
        self._awake.set()

    def interrupt(self) -> None:
        """Stop what is under way and look anew at what may be done."""
        self._interrupted.set()
        self._awake.set()

    def join(self) -> None:
        """Wait for the end, after the outlet's stop event was set."""
        self._awake.set()
        self._thread.join(timeout=30)

    def is_set(self) -> bool:
        """What is under way shall stop."""
        return self._outlet.stop.is_set() or self._interrupted.is_set()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for that."""
        deadline = clock.monotonic() + (3600.0 if timeout is None else timeout)
        while not self.is_set():
            left = deadline - clock.monotonic()
            if left <= 0:
                break
            self._outlet.stop.wait(min(left, _LOOK_SECONDS))
        return self.is_set()

    @property
    def is_limited(self) -> bool:
        """Whether the destination is fed slower than it goes."""
        return self._outlet.target.pace != timetable.Timetable()

    def take(self, count: int) -> None:
        """So many bytes went; waits until more may go."""
        self.wait(self._outlet.throttle.delay(count))

    def _run(self) -> None:
        failures = 0
        while not self._outlet.stop.is_set():
            self._interrupted.clear()
            try:
                self._work()
                failures = 0
                self._awake.wait(self._idle_seconds)
            except Exception:
                logger.exception("Work failed; it is tried again", extra={"worker": self._thread.name})
                self._outlet.stop.wait(_TROUBLE.delay(failures).total_seconds())
                failures += 1
            self._awake.clear()
