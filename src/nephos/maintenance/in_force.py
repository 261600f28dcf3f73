"""Is what the settings file says in force? A change that is refused leaves the old settings, and must be told."""

from __future__ import annotations

from nephos.config.live import Live
from nephos.config.load import Loaded
from nephos.maintenance import vitals
from nephos.monitoring import services

KIND = "settings.refused"


class InForce:
    """Asks the same follower that the other checks use."""

    def __init__(self, live: Live) -> None:
        self._live = live

    def check(self, loaded: Loaded) -> None:
        """Open or close the one problem there is."""
        why = self._live.problem or _refused_by_sync(loaded)
        if not why:
            services.clear(KIND)
            return
        services.report(
            services.Finding(
                key=KIND,
                kind=KIND,
                subject="station",
                sentence="A change of the settings was refused; the old ones stay in force.",
                reason=why,
                retry=f"{loaded.home.config_file} is read again as soon as it is saved.",
                hint="`nephos config check` reads it and says what is wrong.",
            )
        )


def _refused_by_sync(loaded: Loaded) -> str:
    """Of a good file sync may still refuse what it says of destinations and watches; it tells so by its heartbeat."""
    told = vitals.role(loaded, "sync")
    return str(told["details"].get("settings_refused") or "") if told["state"] == "running" else ""


def rest() -> None:
    """The check is off."""
    services.clear(KIND)
