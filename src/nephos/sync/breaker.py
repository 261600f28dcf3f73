"""Keeps a destination that is down from being asked by every file: all wait together, one tries."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import timedelta

from nephos.lib import backoff, clock
from nephos.lib.errors import NephosError

_DELAYS = backoff.Backoff(first=timedelta(seconds=1), most=timedelta(minutes=5))


@dataclass(slots=True)
class Breaker:
    """Opens on trouble with the destination itself and closes on the first success. For several threads."""

    cause: str = ""
    next_try_at: float = 0.0  # wall clock, for people
    _failures: int = 0
    _closed_until: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def is_open(self) -> bool:
        """Nothing may be tried now."""
        return clock.monotonic() < self._closed_until

    @property
    def is_doubtful(self) -> bool:
        """One may try, the others wait for what becomes of it."""
        return self._failures > 0

    def trip(self, error: NephosError) -> timedelta:
        """The destination failed; how long all of it waits."""
        with self._lock:
            if self.is_open:  # several were on their way when it went down: that is one failure
                return timedelta(seconds=self._closed_until - clock.monotonic())
            delay = max(error.retry_after, _DELAYS.delay(self._failures))
            self._failures += 1
            self._closed_until = clock.monotonic() + delay.total_seconds()
            self.next_try_at = clock.unix() + delay.total_seconds()
            self.cause = f"{error.message} {error.hint}".strip()
            return delay

    def reset(self) -> None:
        """It answers, or a person wants it tried now."""
        with self._lock:
            self._failures = 0
            self._closed_until = 0.0
            self.next_try_at = 0.0
            self.cause = ""
