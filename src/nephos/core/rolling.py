"""Run the loops of a Django role in this process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from django.db import connection

from nephos.config.load import Loaded
from nephos.core import bootstrap, doorbell, loops, single
from nephos.lib.heartbeats import Heartbeat

Factory = Callable[[Loaded], list[loops.Loop]]


def run(loaded: Loaded, *, role: str, factories: Sequence[Callable[[], Factory]], stop: threading.Event) -> None:
    """Bring Django up, make the loops, run them until `stop` is set."""
    bootstrap.setup(loaded)
    if role == "keeper":
        single.hold()
    made = [loop for find in factories for loop in find()(loaded)]
    loops.run(made, stop=stop, heartbeat=Heartbeat(loaded.home.run, role), bell=_bell(loaded))


def _bell(loaded: Loaded) -> doorbell.Doorbell:
    if connection.vendor != "sqlite":
        return doorbell.Doorbell([])
    home = loaded.home
    # Also when the settings are saved, and when somebody asks a check to look now.
    return doorbell.Doorbell([home.database, home.sync_database], [home.config_file, home.asked])
