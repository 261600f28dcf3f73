"""Run the loops of a Django role in this process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from nephos.config.load import Loaded
from nephos.core import bootstrap, loops, single
from nephos.lib.heartbeats import Heartbeat

Factory = Callable[[Loaded], list[loops.Loop]]


def run(loaded: Loaded, *, role: str, factories: Sequence[Callable[[], Factory]], stop: threading.Event) -> None:
    """Bring Django up, make the loops, run them until `stop` is set."""
    bootstrap.setup(loaded)
    if role == "keeper":
        single.hold()
    made = [loop for find in factories for loop in find()(loaded)]
    loops.run(made, stop=stop, heartbeat=Heartbeat(loaded.home.run, role))
