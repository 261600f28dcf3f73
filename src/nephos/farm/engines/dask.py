"""Dask beneath the farm: a scheduler in the `farm` role, workers as processes of their own that call the station.

Of Dask's many talents only one is used: carrying an id to a worker. The queue, priorities and limits stay in our
database, nothing is tried again or moved by Dask, and the ledger fences whatever starts twice.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import socket
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nephos.farm import errors, ledger, worker
from nephos.farm.engines.base import Slots
from nephos.farm.slot import Slot
from nephos.lib import ports

logger = logging.getLogger(__name__)

_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_AGAIN_SECONDS = 2.0
_CONFIG = {
    "distributed.scheduler.allowed-failures": 0,  # a worker's death is the ledger's to judge
    "distributed.scheduler.work-stealing": False,
    "distributed.scheduler.worker-ttl": "60s",
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.terminate": False,
    "distributed.admin.tick.limit": "30s",
}


class Dask:
    """The station's side."""

    def __init__(self, *, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._cluster: Any = None
        self._client: Any = None
        self._known: dict[str, str] = {}  # attempt -> worker
        self._lock = threading.Lock()

    @property
    def address(self) -> str:
        """Where workers find the scheduler."""
        return str(self._cluster.scheduler_address)

    def start(self) -> frozenset[str]:
        """Start the scheduler. Raises EngineMissing, EngineRefused, or NotLoopback."""
        refuse_open(self._host)
        distributed = library()
        options = {"host": self._host, "port": self._port, "dashboard": False, "dashboard_address": "127.0.0.1:0"}
        self._refuse_taken_port()
        self._cluster = distributed.SpecCluster(
            scheduler={"cls": distributed.Scheduler, "options": options}, workers={}, silence_logs=False
        )
        self._client = distributed.Client(self._cluster, set_as_default=False)
        return frozenset()

    def submit(self, attempt: str, *, worker: str) -> None:
        """See `base.Engine`."""
        with self._lock:
            self._known[attempt] = worker
        future = self._client.submit(
            attend, attempt, key=attempt, workers=[worker], allow_other_workers=False, retries=0, pure=False
        )
        future.add_done_callback(lambda _done: self._forget(attempt))
        library().fire_and_forget(future)

    def free_slots(self) -> Mapping[str, Slots]:
        """See `base.Engine`."""
        found: dict[str, Slots] = {}
        with self._lock:  # the scheduler hears of a submission only a moment later
            given = Counter(self._known.values())
        for state in list(self._cluster.scheduler.workers.values()):
            if state.status.name == "running":
                busy = max(len(state.processing), given[str(state.name)])
                found[str(state.name)] = Slots(state.host, state.nthreads, max(0, state.nthreads - busy))
        return found

    def known(self) -> frozenset[str]:
        """See `base.Engine`."""
        with self._lock:
            return frozenset(self._known)

    def stop(self) -> None:
        """Stop the scheduler; workers finish what they run and report it to the station."""
        for part in (self._client, self._cluster):
            if part is not None:
                part.close(timeout=5)

    def _refuse_taken_port(self) -> None:
        # Asked beforehand, because a scheduler that cannot bind leaves a socket behind and says little.
        try:
            with socket.create_server((self._host, self._port)):
                pass
        except OSError as error:
            raise errors.EngineRefused(
                f"The Dask scheduler cannot listen on {self._host}:{self._port}: {error.strerror or error}.",
                hint="Another program may have the port; `[farm] port` sets another.",
            ) from error

    def _forget(self, attempt: str) -> None:
        with self._lock:
            self._known.pop(attempt, None)


@dataclass(slots=True)
class _Here:
    """What the worker process that a task lands in works with."""

    worker: worker.Worker
    slots: queue.Queue[Slot]


_here: _Here | None = None


def attend(attempt: str) -> None:
    """The one function that Dask runs, in a thread of the worker process."""
    if _here is None:
        raise errors.FarmError("This process is no worker.")
    slot = _here.slots.get()
    try:
        _here.worker.attend(attempt, slot)
    finally:
        _here.slots.put(slot)


def serve(scheduler: str, *, station: ledger.Ledger, name: str, slots: int, mark: str, stop: ports.Waiter) -> None:
    """Be a worker until `stop` is set; comes back by itself when the scheduler went away. Raises EngineMissing."""
    global _here
    refuse_open(scheduler.rsplit("//", maxsplit=1)[-1].rsplit(":", 1)[0].strip("[]"))
    library()
    pool: queue.Queue[Slot] = queue.Queue()
    for number in range(slots):
        slot = Slot(f"{mark}:{number}")
        slot.stop()
        pool.put(slot)
    _here = _Here(worker=worker.Worker(name=name, station=station, stop=stop), slots=pool)
    try:
        while not stop.is_set():
            asyncio.run(_serve_once(scheduler, name, slots, stop))
            stop.wait(_AGAIN_SECONDS)
    finally:
        for _ in range(slots):
            pool.get(timeout=10).stop()


async def _serve_once(scheduler: str, name: str, slots: int, stop: ports.Waiter) -> None:
    from distributed import Worker

    try:
        member = await Worker(
            scheduler,
            name=name,
            nthreads=slots,
            memory_limit=0,
            host="127.0.0.1",
            dashboard=False,
            dashboard_address="127.0.0.1:0",
            death_timeout=10,
        )
    except (OSError, TimeoutError, ValueError) as error:  # not there, or the name is not yet free again
        logger.info("The scheduler does not take this worker now", extra={"scheduler": scheduler, "why": str(error)})
        return
    while member.status.name not in ("closed", "failed") and not stop.is_set():  # noqa: ASYNC110 - `stop` is a thread's
        await asyncio.sleep(0.2)
    await member.close(timeout=5, nanny=False)


def library() -> Any:
    """The `distributed` package, set up for our use. Raises EngineMissing."""
    try:
        import dask
        import distributed
    except ImportError as error:
        raise errors.EngineMissing(
            "The Dask engine is not installed.", hint='pip install "nephos-station[dask]"'
        ) from error
    dask.config.set(_CONFIG)
    logging.getLogger("distributed").setLevel(logging.WARNING)
    return distributed


def refuse_open(host: str) -> None:
    """Whoever reaches a Dask port without TLS may run any code there. Raises NotLoopback."""
    if host not in _LOOPBACK:
        raise errors.NotLoopback(
            f"The farm's engine would listen on {host}, where others could reach it without proof of who they are.",
            hint="Use 127.0.0.1 until TLS is set up.",
        )
