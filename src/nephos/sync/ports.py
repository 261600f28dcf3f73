"""What sync needs from the operating system, each with a twin that works everywhere: leases, sendfile, caches."""

from __future__ import annotations

import errno
import os
import select
import signal
import socket
import sys
from collections.abc import Sequence
from enum import StrEnum

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_SENDFILE_BYTES = 1 << 20


class Writer(StrEnum):
    """Whether some process has a file open for writing."""

    NONE = "none"
    PRESENT = "present"
    UNKNOWN = "unknown"  # no leases here: another system, another user's file, a network mount


def open_for_look(path: str | bytes | os.PathLike[str]) -> int:
    """A handle to ask about a file, which waits for nothing. Raises OSError."""
    return os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0))


def writer_of(handle: int) -> Writer:
    """Ask the kernel by a read lease, which is given only while nobody has the file open for writing (Linux)."""
    if sys.platform != "linux" or fcntl is None:
        return Writer.UNKNOWN
    try:
        # A writer that comes while the lease is held sends a signal, and that of SIGIO would end this process.
        fcntl.fcntl(handle, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except BlockingIOError:
        return Writer.PRESENT
    except OSError:
        return Writer.UNKNOWN
    fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return Writer.NONE


def send_file(connection: socket.socket, handle: int, *, start: int, length: int, idle_seconds: float) -> int:
    """Hand a piece of a file to a plain socket, inside the kernel where it can; returns how much went.

    Raises TimeoutError if the other side takes nothing for so long, OSError if the connection broke.
    """
    if sys.platform == "win32" or not hasattr(os, "sendfile"):
        connection.settimeout(idle_seconds)
        return connection.send(read_at(handle, min(length, _SENDFILE_BYTES), start))
    try:
        return os.sendfile(connection.fileno(), handle, start, min(length, _SENDFILE_BYTES))
    except BlockingIOError:
        waiting = select.poll()  # no handle of its own, as a selector has: this happens a thousand times a second
        waiting.register(connection, select.POLLOUT)
        if not waiting.poll(idle_seconds * 1000):
            raise TimeoutError from None
        return 0


def send_buffers(connection: socket.socket, buffers: Sequence[bytes | memoryview]) -> int:
    """Hand over several buffers in one call where the system has one; how many bytes went. Raises OSError."""
    if sys.platform == "win32" or not hasattr(connection, "sendmsg"):
        return connection.send(buffers[0])
    return connection.sendmsg(buffers)


def send_piece(connection: socket.socket, handle: int, start: int, length: int) -> int:
    """Hand a piece of a file to a socket that never waits; 0 if the file is shorter.

    Raises BlockingIOError, and OSError of the socket or of the file. Only Linux takes files to sockets that are no TCP.
    """
    if sys.platform == "linux":
        try:
            return os.sendfile(connection.fileno(), handle, start, length)
        except OSError as error:
            if error.errno != errno.EINVAL:  # a file system that cannot hand over pages
                raise
    block = read_at(handle, min(length, _SENDFILE_BYTES), start)
    return connection.send(block) if block else 0


def read_into(handle: int, buffer: memoryview, start: int) -> int:
    """`preadv`: what was read goes where it is wanted; how much it was."""
    if sys.platform != "win32" and hasattr(os, "preadv"):
        return os.preadv(handle, [buffer], start)
    block = read_at(handle, len(buffer), start)
    buffer[: len(block)] = block
    return len(block)


def read_at(handle: int, length: int, start: int) -> bytes:
    """`pread`; where there is none the handle must belong to one thread."""
    if sys.platform != "win32":
        return os.pread(handle, length, start)
    os.lseek(handle, start, os.SEEK_SET)
    return os.read(handle, length)


def forget_cache(handle: int) -> None:
    """Ask the system to drop what it keeps of a file, so that reading it back reads the disk."""
    if sys.platform == "linux":
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
