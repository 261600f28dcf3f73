"""The web role: one application behind two doors, TCP for people and programs, the Unix socket for the home's owner."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import uvicorn

from nephos.config.load import Loaded
from nephos.core import bootstrap
from nephos.lib.heartbeats import Heartbeat
from nephos.web import errors, ports

logger = logging.getLogger(__name__)

Application = Callable[..., Awaitable[None]]  # ASGI: (scope, receive, send); the libraries' aliases differ in detail

_LAST_WORDS_SECONDS = 1  # how long open requests may go on after the stop


def main(loaded: Loaded, stop: threading.Event) -> None:
    """Serve until `stop` is set. Raises PortTaken."""
    bootstrap.setup(loaded)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    tcp = bind(loaded.settings.web.host, loaded.settings.web.port)
    local = ports.unix_socket(loaded.home.api_socket)
    with asyncio.Runner(loop_factory=ports.loop_factory()) as runner:
        runner.run(_serve(loaded, tcp, local, stop))
    loaded.home.api_socket.unlink(missing_ok=True)


def bind(host: str, port: int) -> socket.socket:
    """A bound TCP socket. Raises PortTaken with the reason in words."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
    except OSError as error:
        made.close()
        raise errors.PortTaken(
            f"The page cannot listen on {host}:{port}: {error.strerror or error}.",
            hint="End the program that uses it, or set another: nephos config set web.port 8601",
        ) from error
    return made


def address(listening: socket.socket) -> str:
    """The URL of the page."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def marked(application: Application, *, local: bool) -> Application:
    """The application with the door written into each request's scope, where no client can write."""
    from nephos.web import access

    async def through_this_door(scope: dict[str, Any], receive: Any, send: Any) -> None:
        await application({**scope, access.LOCAL_MARK: local}, receive, send)

    return through_this_door


class _Server(uvicorn.Server):
    """Leaves the signals to the role, which sets the stop event."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _server(application: Application, *, local: bool, behind_proxy: bool) -> _Server:
    return _Server(
        uvicorn.Config(
            marked(application, local=local),
            lifespan="off",
            log_config=None,
            access_log=False,  # paths of login links are secrets
            server_header=False,
            proxy_headers=behind_proxy and not local,
            timeout_graceful_shutdown=_LAST_WORDS_SECONDS,
            ws="none",
        )
    )


async def _serve(loaded: Loaded, tcp: socket.socket, local: socket.socket | None, stop: threading.Event) -> None:
    from nephos.web import asgi, live  # models: they need Django up

    behind_proxy = loaded.settings.web.behind_tls
    doors = [(_server(asgi.application, local=False, behind_proxy=behind_proxy), tcp)]
    if local is not None:
        doors.append((_server(asgi.application, local=True, behind_proxy=False), local))
    tasks = [asyncio.create_task(server.serve([door])) for server, door in doors]
    where = address(tcp)
    logger.info("The page is served", extra={"address": where})
    heartbeat = Heartbeat(loaded.home.run, "web")
    while not await asyncio.to_thread(stop.wait, 0.25):
        if any(task.done() for task in tasks):
            break
        if all(server.started for server, _ in doors):
            heartbeat.beat(details={"address": where, "listeners": live.doorbell.count()})
    live.doorbell.close()
    for server, _ in doors:
        server.should_exit = True
    await asyncio.gather(*tasks)
    heartbeat.beat(state="stopped", now=True)
