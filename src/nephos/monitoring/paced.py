"""A loop with an interval and a switch in the settings, both taken up while it runs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Protocol

from nephos.config.live import Live
from nephos.config.load import Loaded
from nephos.config.schema import Settings
from nephos.lib import clock


class Pace(Protocol):
    """What every section of the settings with a check has."""

    @property
    def enabled(self) -> bool: ...

    @property
    def interval_seconds(self) -> float: ...


class Paced:
    """Calls `check` each interval while it is switched on, `rest` once when it is switched off.

    The first time is at once. A check that raises is tried again by the loop's own back-off.
    """

    idle = timedelta(seconds=0.5)

    def __init__(
        self,
        name: str,
        live: Live,
        *,
        pace: Callable[[Settings], Pace],
        check: Callable[[Loaded], bool | None],
        rest: Callable[[], object] | None = None,
    ) -> None:
        self.name = name
        self._live = live
        self._pace = pace
        self._check = check
        self._rest = rest
        self._last: float | None = None
        self._is_on = True

    def step(self) -> bool:
        """Check if it is time; true if the check has more to do at once."""
        loaded = self._live.current()
        pace = self._pace(loaded.settings)
        if not pace.enabled:
            self._switch_off()
            return False
        self._is_on = True
        now = clock.monotonic()
        if self._last is not None and now - self._last < pace.interval_seconds:
            return False
        more = bool(self._check(loaded))
        self._last = None if more else now
        return more

    def _switch_off(self) -> None:
        self._last = None
        if self._is_on and self._rest is not None:
            self._rest()
        self._is_on = False
