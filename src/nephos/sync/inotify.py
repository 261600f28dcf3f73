"""Linux's own news of a folder tree, by ctypes. A port file; where it does not work there is the timed scan.

A thread does nothing but read, so that bursts do not overflow the kernel's queue. A new folder gets its watch first and
is scanned afterwards. Its news are hints: nothing depends on their being complete.
"""

from __future__ import annotations

import collections
import contextlib
import ctypes
import os
import selectors
import struct
import sys
import threading

from nephos.sync.hints import Hints

_CLOSE_WRITE, _MOVED_FROM, _MOVED_TO, _CREATE, _DELETE = 0x8, 0x40, 0x80, 0x100, 0x200
_DELETE_SELF, _MOVE_SELF = 0x400, 0x800
_ONLY_FOLDERS, _IS_FOLDER = 0x01000000, 0x40000000
_OVERFLOW, _IGNORED = 0x4000, 0x8000
_WANTED = _CLOSE_WRITE | _MOVED_FROM | _MOVED_TO | _CREATE | _DELETE | _DELETE_SELF | _MOVE_SELF | _ONLY_FOLDERS
_HEADER = struct.Struct("iIII")
_READ_BYTES = 1 << 20


def is_there() -> bool:
    """Whether this system has it."""
    return sys.platform.startswith("linux")


class Inotify:
    """News of one tree. `take` and `close` belong to one thread."""

    def __init__(self, root: bytes) -> None:
        """Raises OSError where the system has run out of watches."""
        self._root = root
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._handle = self._libc.inotify_init1(getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0))
        if self._handle < 0:
            raise OSError(ctypes.get_errno(), "inotify_init1")
        self._folders: dict[int, bytes] = {}
        self._numbers: dict[bytes, int] = {}
        self._blocks: collections.deque[bytes] = collections.deque()
        self._partial = False
        self._stop = threading.Event()
        self._add_tree(b"", Hints())
        if not self._folders:
            os.close(self._handle)
            raise OSError(ctypes.get_errno(), "inotify_add_watch")
        self._reader = threading.Thread(target=self._read, name="inotify", daemon=True)
        self._reader.start()

    @property
    def partial(self) -> bool:
        """Some folder has no watch (the system's limit): scan on a timer as well."""
        return self._partial

    def take(self) -> Hints:
        """What happened since the last call."""
        hints = Hints()
        while self._blocks:
            block = self._blocks.popleft()
            at = 0
            while at < len(block):
                number, mask, _, length = _HEADER.unpack_from(block, at)
                at += _HEADER.size
                self._note(number, mask, block[at : at + length].rstrip(b"\0"), hints)
                at += length
        return hints

    def close(self) -> None:
        """Give the watches back."""
        self._stop.set()
        self._reader.join()
        os.close(self._handle)

    def _read(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._handle, selectors.EVENT_READ)
            while not self._stop.is_set():
                if selector.select(0.25):
                    with contextlib.suppress(BlockingIOError):
                        self._blocks.append(os.read(self._handle, _READ_BYTES))

    def _note(self, number: int, mask: int, name: bytes, hints: Hints) -> None:
        if mask & _OVERFLOW:
            hints.overflow = True
            return
        folder = self._folders.get(number)
        if folder is None:
            return
        if mask & (_IGNORED | _DELETE_SELF | _MOVE_SELF):
            hints.overflow = hints.overflow or not folder  # the root itself went: only a scan can tell
            if mask & _IGNORED:
                self._drop(number, folder)
            return
        hints.folders.add(folder)
        if mask & _IS_FOLDER:
            path = folder + b"/" + name if folder else name
            if mask & _MOVED_FROM:
                self._forget_tree(path)
            elif mask & (_CREATE | _MOVED_TO):
                self._add_tree(path, hints)

    def _add_tree(self, top: bytes, hints: Hints) -> None:
        waiting = [top]
        while waiting:
            folder = waiting.pop()
            full = os.path.join(self._root, folder) if folder else self._root
            number = self._libc.inotify_add_watch(self._handle, full, _WANTED)
            if number < 0:
                self._partial = self._partial or os.path.isdir(full)  # noqa: PTH112 - bytes
                continue
            self._folders[number] = folder
            self._numbers[folder] = number
            hints.folders.add(folder)
            with contextlib.suppress(OSError), os.scandir(full) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(folder + b"/" + entry.name if folder else entry.name)

    def _forget_tree(self, top: bytes) -> None:
        below = top + b"/"
        for folder in [known for known in self._numbers if known == top or known.startswith(below)]:
            number = self._numbers.pop(folder)
            self._folders.pop(number, None)
            self._libc.inotify_rm_watch(self._handle, number)

    def _drop(self, number: int, folder: bytes) -> None:
        self._folders.pop(number, None)
        if self._numbers.get(folder) == number:
            del self._numbers[folder]
