"""Slots on this machine: one guard each, driven by threads of this process."""

from __future__ import annotations

import logging
import os
import queue
import socket
import threading
from collections.abc import Callable, Mapping

from nephos.farm import ledger, worker
from nephos.farm.engines.base import Slots
from nephos.farm.slot import Slot

logger = logging.getLogger(__name__)

_STOP_SECONDS = 8.0


def default_slots() -> int:
    """Half of the cores, at least one: recording comes first."""
    return max(1, (os.cpu_count() or 1) // 2)


class Local:
    """Runs attempts in `slots` guards. `mark` must be unique to the station and the same in all its lives."""

    def __init__(
        self,
        station: ledger.Ledger,
        *,
        name: str,
        slots: int,
        mark: str,
        after: Callable[[], None] = lambda: None,
    ) -> None:
        self._stop = threading.Event()
        self._worker = worker.Worker(name=name, station=station, stop=self._stop)
        self._slots = [Slot(f"{mark}:{number}") for number in range(slots)]
        self._waiting: queue.Queue[str | None] = queue.Queue()
        self._known: set[str] = set()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._after = after

    def start(self) -> frozenset[str]:
        """Kill what an earlier life of this station left, then wait for work."""
        for slot in self._slots:
            slot.stop()
            thread = threading.Thread(target=self._drive, args=(slot,), name="farm-slot", daemon=True)
            thread.start()
            self._threads.append(thread)
        return frozenset({self._worker.name})

    def submit(self, attempt: str, *, worker: str) -> None:  # noqa: ARG002 - there is only one
        """See `base.Engine`."""
        with self._lock:
            self._known.add(attempt)
        self._waiting.put(attempt)

    def free_slots(self) -> Mapping[str, Slots]:
        """See `base.Engine`."""
        total = len(self._slots)
        return {self._worker.name: Slots(socket.gethostname(), total, max(0, total - len(self.known())))}

    def known(self) -> frozenset[str]:
        """See `base.Engine`."""
        with self._lock:
            return frozenset(self._known)

    def stop(self) -> None:
        """Give back what runs and end the guards."""
        self._stop.set()
        for _ in self._threads:
            self._waiting.put(None)
        for thread in self._threads:
            thread.join(timeout=_STOP_SECONDS)

    def _drive(self, slot: Slot) -> None:
        while (attempt := self._waiting.get()) is not None and not self._stop.is_set():
            try:
                self._worker.attend(attempt, slot)
            except Exception:  # the edge of a task: whatever went wrong, the slot must live on
                logger.exception("Attending to an attempt failed", extra={"attempt": attempt})
                slot.kill()
            finally:
                with self._lock:
                    self._known.discard(attempt)
                self._after()
        slot.stop()
