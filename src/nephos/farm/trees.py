"""Find and kill whole trees of processes. A port file: Linux by /proc, other POSIX systems by `ps`.

Windows has no such table here; there the runner's own cancel ends the tree of an action.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

from nephos.lib import clock, ports

_PROC = Path("/proc")
_KILL = getattr(signal, "SIGKILL", signal.SIGTERM)


def descendants(root: int) -> set[int]:
    """Living children of a process, their children and so on."""
    parents = _parents()
    found: set[int] = set()
    ring = {root}
    while ring:
        ring = {pid for pid, parent in parents.items() if parent in ring} - found
        found |= ring
    return found


def marked(name: str, value: str) -> set[int]:
    """Processes of this user that were started with this variable in their environment; empty where none can look."""
    wanted = f"{name}={value}".encode()
    found: set[int] = set()
    for entry in _numbered():
        with contextlib.suppress(OSError):
            if wanted in (entry / "environ").read_bytes().split(b"\0"):
                found.add(int(entry.name))
    return found - {os.getpid()}


def kill_all(find: Callable[[], set[int]], *, within: float = 10.0) -> set[int]:
    """Kill what `find` finds until it finds nothing: a killed parent may have forked once more. Returns survivors."""
    until = clock.monotonic() + within
    left = find()
    while left and clock.monotonic() < until:
        for pid in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, _KILL)
        ports.pause(0.01)
        left = find()
    return left


def reap() -> None:
    """Bury adopted children that have ended. Only while no child of our own is being waited for."""
    if not hasattr(os, "WNOHANG"):
        return
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _numbered() -> list[Path]:
    return [entry for entry in _PROC.iterdir() if entry.name.isdigit()] if _PROC.is_dir() else []


def _parents() -> dict[int, int]:
    if not _PROC.is_dir():
        return _parents_by_ps()
    parents: dict[int, int] = {}
    for entry in _numbered():
        with contextlib.suppress(OSError, ValueError, IndexError):
            # The name in brackets may hold spaces and brackets itself, so fields are counted from its end.
            fields = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()
            if fields[0] not in "ZX":
                parents[int(entry.name)] = int(fields[1])
    return parents


def _parents_by_ps() -> dict[int, int]:
    with contextlib.suppress(OSError, subprocess.SubprocessError, ValueError):
        shown = subprocess.run(
            ["ps", "-Ao", "pid=,ppid=,stat="], capture_output=True, text=True, timeout=10, check=True
        )
        rows = [line.split() for line in shown.stdout.splitlines()]
        return {int(row[0]): int(row[1]) for row in rows if len(row) > 2 and not row[2].startswith("Z")}
    return {}
