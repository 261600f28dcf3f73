"""Could a program listen at an address? And if not, what would help."""

from __future__ import annotations

import errno
import socket
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why nobody can listen there, in the system's words, and the kind of it."""

    reason: str
    is_foreign: bool = False  # it is no address of this machine
    is_forbidden: bool = False  # a port below 1024, mostly


def obstacle(host: str, port: int) -> Obstacle | None:
    """What stands in the way, None if nothing does."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except socket.gaierror as error:
        return Obstacle(error.strerror or str(error), is_foreign=True)
    except (OSError, UnicodeError) as error:
        number = getattr(error, "errno", None)
        return Obstacle(
            getattr(error, "strerror", None) or str(error),
            is_foreign=number == errno.EADDRNOTAVAIL or isinstance(error, UnicodeError),
            is_forbidden=number in (errno.EACCES, errno.EPERM),
        )
    return None


def remedy(found: Obstacle, *, host: str) -> str:
    """What a person can do about the page's address."""
    if found.is_foreign:
        return f"{host[:60]!r} is no address of this machine: nephos config set web.host 127.0.0.1"
    if found.is_forbidden:
        return "This user may not use that port: nephos config set web.port 8600"
    return "End the program that uses it, or set another: nephos config set web.port 8601"
