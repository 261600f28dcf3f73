"""What differs between operating systems, each with a twin that works everywhere.

This is the port file for locks, death signals and user names: `fcntl`, `pwd`, `resource` and `prctl` are named here and
nowhere above, so that the rest of the product imports on Windows and macOS.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Sequence
from typing import Any, Protocol

# What Unix has and Windows has not; Any, so that the types of one platform do not fail on another.
fcntl: Any = None
resource: Any = None
with contextlib.suppress(ImportError):
    import fcntl as _fcntl

    fcntl = _fcntl
with contextlib.suppress(ImportError):
    import resource as _resource

    resource = _resource

_FIRST = -10  # of -20 to 19
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


class Waiter(Protocol):
    """What loops wait on: a threading or multiprocessing event."""

    def is_set(self) -> bool: ...
    def wait(self, timeout: float | None = None) -> bool: ...


def pause(seconds: float) -> None:
    """Sleep; for code below the loops that has no stop event to wait on."""
    time.sleep(seconds)


def lock_file(handle: int) -> bool:
    """Try to lock an open file for this process alone."""
    if fcntl is not None:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
    if sys.platform == "win32":
        import msvcrt

        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
    return True


def unlock_file(handle: int) -> None:
    """Undo `lock_file`."""
    if fcntl is not None:
        fcntl.flock(handle, fcntl.LOCK_UN)
    elif sys.platform == "win32":
        import msvcrt

        with contextlib.suppress(OSError):
            msvcrt.locking(handle, msvcrt.LK_UNLCK, 1)


def _prctl(option: int, argument: int) -> bool:
    if not sys.platform.startswith("linux"):
        return False
    return bool(ctypes.CDLL(None, use_errno=True).prctl(option, argument, 0, 0, 0) == 0)


def die_with_parent(parent: int, *, by: int = signal.SIGTERM) -> None:
    """End this process when its parent ends: by a death signal on Linux, elsewhere by looking once a second.

    Exits at once if the parent is already gone.
    """
    if not _prctl(_PR_SET_PDEATHSIG, by):
        threading.Thread(target=_watch_parent, args=(parent, by), name="parent-watch", daemon=True).start()
    if os.getppid() != parent:
        os._exit(1)


def _watch_parent(parent: int, by: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os.kill(os.getpid(), by)


def dying_with_us(argv: Sequence[str]) -> list[str]:
    """The command line of a child that the kernel kills when the *thread* that started it ends (Linux).

    Through util-linux's `setpriv`, which becomes the program: code between fork and exec of a process with threads may
    hang. Where it is missing a child that writes to a pipe still ends at its next write.
    """
    setpriv = shutil.which("setpriv") if sys.platform.startswith("linux") else None
    return [setpriv, "--pdeathsig", "KILL", "--", *argv] if setpriv else list(argv)


def widen_pipe(handle: int, wanted_bytes: int) -> int:
    """Let a pipe hold so much (Linux); what it really holds."""
    if fcntl is None or not hasattr(fcntl, "F_SETPIPE_SZ"):
        return 65536
    with contextlib.suppress(OSError):  # above fs.pipe-max-size
        fcntl.fcntl(handle, fcntl.F_SETPIPE_SZ, wanted_bytes)
    return int(fcntl.fcntl(handle, fcntl.F_GETPIPE_SZ))


def adopt_orphans() -> bool:
    """Become the parent of grandchildren whose parent dies (Linux), so that none escapes; False where unsupported."""
    return _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def never_wait(handle: int) -> None:
    """Make reads and writes of a pipe fail rather than wait (not on Windows)."""
    if sys.platform != "win32":
        os.set_blocking(handle, False)


def in_foreground(handle: int) -> bool:
    """Whether what is typed at a terminal comes to this process; in the background reading it would stop us."""
    if sys.platform == "win32":
        return False
    try:
        return os.tcgetpgrp(handle) == os.getpgrp()
    except OSError:
        return False


def open_files_limit() -> int | None:
    """How many files this process may open, None where there is no such limit."""
    if resource is None:
        return None
    return int(resource.getrlimit(resource.RLIMIT_NOFILE)[0])


def raise_open_files_limit(wanted: int) -> None:
    """Raise the soft limit as far as the hard one allows."""
    if resource is None:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    target = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft < target:
        resource.setrlimit(resource.RLIMIT_NOFILE, (target, hard))


def go_first(pid: int = 0) -> bool:
    """Have this process, or another, scheduled before ordinary work.

    False where that is not allowed (root may, and who has an RLIMIT_NICE of 30), or the process is gone.
    """
    if sys.platform == "win32":
        return False
    try:
        os.setpriority(os.PRIO_PROCESS, pid, _FIRST)
    except OSError:
        return False
    return True


def memory_bytes() -> int:
    """What this machine has, 0 where it does not tell."""
    if sys.platform == "win32":
        return 0
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return 0


def keep_freed_memory(most_bytes: int) -> None:
    """Let the C library reuse freed blocks up to this size instead of giving them back page by page (glibc only)."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform.startswith("linux") else None
    if mallopt is not None:
        for option in (-1, -3):  # M_TRIM_THRESHOLD, M_MMAP_THRESHOLD
            mallopt(option, most_bytes)
