"""A loop with an interval and a switch in the settings, both taken up while it runs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from nephos.config.live import Live
from nephos.config.load import Loaded
from nephos.config.schema import Settings
from nephos.lib import clock
from nephos.monitoring import asked

_OFF = timedelta(minutes=1)


class Pace(Protocol):
    """What every section of the settings with a check has."""

    @property
    def enabled(self) -> bool: ...

    @property
    def interval_seconds(self) -> float: ...


class Paced:
    """Calls `check` each interval while it is switched on, `rest` once when it is switched off.

    The first time is at once. A check that raises is tried again by the loop's own back-off. Who asks for it gets a
    look at once, by `now` if a check keeps intervals of its own.
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
        now: Callable[[Loaded], bool | None] | None = None,
    ) -> None:
        self.name = name
        self.ran_at: datetime | None = None
        self._live = live
        self._pace = pace
        self._check = check
        self._rest = rest
        self._now = now
        self._quiet = timedelta(0)
        self._last: float | None = None
        self._is_on = True

    def patient(self, by: timedelta) -> Paced:
        """For one that waits for the database: left alone so long while nothing is committed, whatever its interval."""
        self._quiet = by
        return self

    @property
    def rest(self) -> timedelta:
        """How long until it is time; a changed setting and a question ring before that."""
        pace = self._pace(self._live.current().settings)
        if not pace.enabled:
            return _OFF
        left = 0.0 if self._last is None else self._last + pace.interval_seconds - clock.monotonic()
        return min(_OFF, max(self._quiet, timedelta(seconds=max(0.0, left))))

    def step(self) -> bool:
        """Check if it is time; true if the check has more to do at once."""
        loaded = self._live.current()
        pace = self._pace(loaded.settings)
        if not pace.enabled:
            self._switch_off()
            return False
        self._is_on = True
        if questions := asked.questions(loaded.home, self.name):
            with asked.answering(questions):
                return self._look(self._now or self._check, loaded)
        if self._last is not None and clock.monotonic() - self._last < pace.interval_seconds:
            return False
        return self._look(self._check, loaded)

    def _look(self, check: Callable[[Loaded], bool | None], loaded: Loaded) -> bool:
        began = clock.monotonic()
        more = bool(check(loaded))
        self.ran_at = clock.now()
        self._last = None if more else began
        return more

    def _switch_off(self) -> None:
        self._last = None
        if self._is_on and self._rest is not None:
            self._rest()
        self._is_on = False
