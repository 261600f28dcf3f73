"""The telnet door: a socket on the loopback interface, and a process for each visitor."""

from __future__ import annotations

import contextlib
import logging
import os
import select
import socket
import subprocess
import sys
import threading

from nephos.config.load import Loaded
from nephos.lib import errors, heartbeats

logger = logging.getLogger(__name__)

_LOOK_SECONDS = 0.5
_BUSY = b"Too many people are here already; try again later.\r\n"


def main(loaded: Loaded, stop: threading.Event) -> None:
    """The role `console`, until `stop` is set."""
    choices = loaded.settings.console
    family = socket.AF_INET6 if ":" in choices.host else socket.AF_INET
    beat = heartbeats.Heartbeat(loaded.home.run, "console")
    visitors: list[subprocess.Popen[bytes]] = []
    with socket.socket(family, socket.SOCK_STREAM) as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            door.bind((choices.host, choices.port))
            door.listen(8)
        except OSError as error:
            raise errors.NotNow(
                f"The console cannot listen on {choices.host}:{choices.port}: {error.strerror or error}.",
                hint="End the program that uses it, or set another: nephos config set console.port 6001",
            ) from None
        address = door.getsockname()[:2]
        logger.info("The console listens", extra={"host": address[0], "port": address[1]})
        while not stop.is_set():
            visitors = [visitor for visitor in visitors if visitor.poll() is None]
            beat.beat(details={"port": address[1], "visitors": len(visitors)})
            if select.select([door], [], [], _LOOK_SECONDS)[0]:
                _let_in(door, visitors, loaded)
    for visitor in visitors:
        visitor.terminate()
    beat.beat(state="stopped", now=True)


def _let_in(door: socket.socket, visitors: list[subprocess.Popen[bytes]], loaded: Loaded) -> None:
    connection, peer = door.accept()
    with connection, contextlib.suppress(OSError):
        if len(visitors) >= loaded.settings.console.sessions:
            connection.sendall(_BUSY)
            return
        logger.info("Somebody came in by telnet", extra={"port": peer[1]})
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        # A process of its own: what a visitor does costs no other one, and its token stays there.
        visitors.append(
            subprocess.Popen(
                [sys.executable, "-m", "nephos.cli.console.visitor", str(loaded.home.root)],
                stdin=connection.fileno(),
                stdout=connection.fileno(),
                stderr=connection.fileno(),
                env={**os.environ, "PYTHONIOENCODING": "utf-8:backslashreplace"},
                start_new_session=True,
            )
        )
