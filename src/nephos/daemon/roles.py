"""The roles of a station and how one of them runs in a process of its own."""

from __future__ import annotations

import importlib
import logging
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from nephos.config.load import Loaded
from nephos.core import logs
from nephos.daemon import front
from nephos.lib import errors, locks, ports, signals

logger = logging.getLogger(__name__)

SUPERVISED = "NEPHOS_SUPERVISOR"  # set by `nephos start` to its pid

# How long a role waits for its predecessor, which was told to end, to let go of the lock.
_PATIENCE = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Role:
    """A role is either one function `main(loaded, stop)`, or Django loops made by functions `loops(loaded)`."""

    name: str
    main: str = ""
    loops: tuple[str, ...] = ()
    goes_first: bool = False  # before ordinary work, from its first instruction on


# In the order of starting: what must not wait comes first. Stopping goes the other way round.
ROLES = {
    role.name: role
    for role in (
        Role("recorder", main="nephos.recording.recorder:main", goes_first=True),
        Role("sync", main="nephos.sync.engine:main"),
        Role("farm", loops=("nephos.farm.dispatcher:loops",)),
        Role(
            "keeper",
            loops=(
                "nephos.recording.bookings:loops",
                "nephos.recording.finaliser:loops",
                "nephos.flow:loops",
                "nephos.sync.bridge:loops",
                "nephos.monitoring.keeper:loops",
                "nephos.maintenance.checks:loops",
                "nephos.importers.update:loops",
            ),
        ),
        Role("web", main="nephos.web.serve:main"),
    )
}


# What runs only when it is asked for in the settings, or by name.
OPTIONAL = {role.name: role for role in (Role("console", main="nephos.cli.console.telnet:main"),)}


def get(name: str) -> Role:
    """A role by name. Raises Invalid."""
    known = ROLES | OPTIONAL
    if name not in known:
        raise errors.Invalid(f"There is no role {name[:40]!r}.", hint=f"Roles are {', '.join(known)}.")
    return known[name]


def wanted(loaded: Loaded, only: Sequence[str] = ()) -> list[str]:
    """Roles of a station in the order of starting. Raises Invalid for one that there is not."""
    chosen = {get(name).name for name in only}
    usual = [*ROLES, *(["console"] if loaded.settings.console.enabled else [])]
    return [name for name in (*ROLES, *OPTIONAL) if (name in chosen if only else name in usual)]


def run(name: str, loaded: Loaded) -> int:
    """Run one role in this process until it is told to stop; the exit code.

    Raises AlreadyRunning if another process has this role on this home.
    """
    role = get(name)
    os.umask(0o027)  # databases and logs are nobody else's, wherever [paths] puts them
    loaded.home.create()
    stop = threading.Event()
    signals.set_by_end(stop)
    supervisor = os.environ.get(SUPERVISED)
    if supervisor:
        ports.die_with_parent(int(supervisor))
    lock = locks.FileLock(loaded.home.run / f"{name}.lock")
    with lock.acquire(wait=_PATIENCE if supervisor else timedelta(0), stop=stop):
        pipe = os.environ.pop(front.PIPE, "")
        logs.setup(loaded, role=name, console=not supervisor, pipe=int(pipe) if pipe else None)
        ports.raise_open_files_limit(8192)
        try:
            _work(role, loaded, stop)
        except errors.NephosError:
            raise
        except Exception:
            logger.critical("The role has broken down", exc_info=True)
            raise
    return 0


def _work(role: Role, loaded: Loaded, stop: threading.Event) -> None:
    if role.main:
        _find(role.main)(loaded, stop)
    else:
        importlib.import_module("nephos.core.rolling").run(
            loaded, role=role.name, factories=[_finder(path) for path in role.loops], stop=stop
        )


def _finder(path: str) -> Callable[[], Any]:
    """Django must be up before modules with models are imported: so the import waits until it is called."""
    return lambda: _find(path)


def _find(path: str) -> Any:
    module, _, name = path.partition(":")
    return getattr(importlib.import_module(module), name)
