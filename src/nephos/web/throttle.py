"""Wrong passwords make the next try wait; kept in memory, for there is one web process."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field
from datetime import timedelta

from nephos.lib import clock, text
from nephos.web import errors

_MOST_KEYS = 10_000


@dataclass(slots=True)
class Throttle:
    """At most so many failures of one key in a span of time."""

    most: int
    span: timedelta
    _failures: dict[str, deque[float]] = field(default_factory=dict)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def check(self, key: str) -> None:
        """Raises TooManyTries while the key has failed too often."""
        with self._guard:
            recent = self._recent(key)
            if len(recent) >= self.most:
                left = recent[0] + self.span.total_seconds() - clock.monotonic()
                raise errors.TooManyTries(hint=f"Try again in {text.duration(timedelta(seconds=max(1, round(left))))}.")

    def note(self, key: str) -> None:
        """The key has failed."""
        with self._guard:
            if key not in self._failures and len(self._failures) >= _MOST_KEYS:
                self._failures.pop(next(iter(self._failures)))
            self._failures.setdefault(key, deque(maxlen=self.most)).append(clock.monotonic())

    def forget(self, key: str) -> None:
        """The key has succeeded."""
        with self._guard:
            self._failures.pop(key, None)

    def _recent(self, key: str) -> deque[float]:
        times = self._failures.get(key, deque())
        while times and clock.monotonic() - times[0] > self.span.total_seconds():
            times.popleft()
        return times
