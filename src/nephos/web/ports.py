"""The port file of the page: `uvloop` and Unix sockets are named here, with twins that work without them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

try:
    import uvloop
except ImportError:  # Windows, or a Python that has no build of it
    uvloop = None  # type: ignore[assignment]

_LONGEST_ADDRESS = 100  # the kernel takes 107 bytes


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    """The fastest event loop there is."""
    return asyncio.new_event_loop if uvloop is None else uvloop.new_event_loop


def unix_socket(path: Path) -> socket.socket | None:
    """A socket that only this user can connect to, bound and not yet listening; None where there are none."""
    if not hasattr(socket, "AF_UNIX"):
        return None
    path.unlink(missing_ok=True)  # left by one that was killed; the role's lock says that nobody uses it
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with short_address(path) as address:
        made.bind(address)
    path.chmod(0o600)  # nobody can connect before `listen`, so no moment is open to others
    return made


@contextlib.contextmanager
def short_address(path: Path) -> Iterator[str]:
    """The address of a Unix socket; a long one goes through the open folder, for the kernel takes few bytes."""
    if len(os.fsencode(path)) <= _LONGEST_ADDRESS or not Path("/proc/self/fd").is_dir():
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
