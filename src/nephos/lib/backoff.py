"""How long to wait before the next try."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Backoff:
    """Exponential delays with full jitter between `first` and `most`.

    The first try after a success may be at once: `delay(0)` is zero when `at_once` is set.
    """

    first: timedelta = timedelta(seconds=1)
    most: timedelta = timedelta(minutes=5)
    at_once: bool = False

    def delay(self, failures: int) -> timedelta:
        """The wait after so many failures in a row (0 is the first failure)."""
        if self.at_once and failures <= 0:
            return timedelta(0)
        ceiling = min(self.most.total_seconds(), self.first.total_seconds() * 2.0 ** min(failures, 40))
        least = min(self.first.total_seconds(), ceiling)
        return timedelta(seconds=random.uniform(least, ceiling))  # noqa: S311 - jitter, not a secret
