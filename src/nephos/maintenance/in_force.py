"""Is what the settings file says in force? A change that is refused leaves the old settings, and must be told."""

from __future__ import annotations

from nephos.config.live import Live
from nephos.config.load import Loaded
from nephos.monitoring import services

KIND = "settings.refused"


class InForce:
    """Asks the same follower that the other checks use."""

    def __init__(self, live: Live) -> None:
        self._live = live

    def check(self, loaded: Loaded) -> None:
        """Open or close the one problem there is."""
        if not self._live.problem:
            services.clear(KIND)
            return
        services.report(
            services.Finding(
                key=KIND,
                kind=KIND,
                subject="station",
                sentence="A change of the settings was refused; the old ones stay in force.",
                reason=self._live.problem,
                retry=f"{loaded.home.config_file} is read again as soon as it is saved.",
                hint="`nephos config check` reads it and says what is wrong.",
            )
        )


def rest() -> None:
    """The check is off."""
    services.clear(KIND)
