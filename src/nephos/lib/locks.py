"""One holder at a time, across processes: a lock that falls by itself when its holder dies."""

from __future__ import annotations

import contextlib
import os
from datetime import timedelta
from pathlib import Path
from types import TracebackType

from nephos.lib import clock, errors, ports


class FileLock:
    """An operating-system lock on a file; the file keeps the holder's pid for people to read.

    The lock belongs to the process and falls when it dies, however it dies. The file itself is never removed:
    removing it would let two processes hold "the same" lock on two inodes.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle: int | None = None

    def acquire(self, *, wait: timedelta = timedelta(0), stop: ports.Waiter | None = None) -> FileLock:
        """Take the lock, waiting for an old holder to fall.

        Raises AlreadyRunning with the holder's pid when the time is over.
        """
        deadline = clock.monotonic() + wait.total_seconds()
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o644)
        while not ports.lock_file(handle):
            if clock.monotonic() >= deadline or (stop is not None and stop.is_set()):
                os.close(handle)
                raise errors.AlreadyRunning(
                    f"{self.path.stem} is already running (process {self.holder() or 'unknown'}).",
                    hint="`nephos status` tells more; `nephos stop` ends the running one.",
                )
            ports.pause(0.05)
        self._handle = handle
        os.ftruncate(handle, 0)
        os.lseek(handle, 0, os.SEEK_SET)
        os.write(handle, f"{os.getpid()}\n".encode())
        return self

    def release(self) -> None:
        """Let go; does nothing if it is not held."""
        if self._handle is not None:
            ports.unlock_file(self._handle)
            os.close(self._handle)
            self._handle = None

    def holder(self) -> int | None:
        """The pid written by the last holder, if there ever was one."""
        with contextlib.suppress(OSError, ValueError):
            return int(self.path.read_text())
        return None

    def is_held(self) -> bool:
        """Whether any process holds it now."""
        try:
            handle = os.open(self.path, os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            if ports.lock_file(handle):
                ports.unlock_file(handle)
                return False
            return True
        finally:
            os.close(handle)

    def __enter__(self) -> FileLock:
        return self if self._handle is not None else self.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
