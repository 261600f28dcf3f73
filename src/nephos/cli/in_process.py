"""The station's application in this process, for a command given while the station is stopped."""

from __future__ import annotations

import asyncio
import importlib
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from nephos.client import http
from nephos.config import load

Message = MutableMapping[str, Any]
Application = Callable[
    [Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[Any]
]


class InProcess:
    """Hands requests to the ASGI application, marked as the home's owner's, as the Unix socket does."""

    def __init__(self, application: Application) -> None:
        self._application = application

    def send(self, request: http.Request) -> http.Answer:
        """Answers as a server would."""
        from asgiref.sync import async_to_sync

        return async_to_sync(self._exchange)(request)

    async def _exchange(self, request: http.Request) -> http.Answer:
        sent: list[Message] = []
        waiting: list[Message] = [{"type": "http.request", "body": request.body, "more_body": False}]

        async def receive() -> Message:
            if not waiting:
                await asyncio.Event().wait()  # the client stays until it is answered
            return waiting.pop()

        async def send(message: Message) -> None:
            sent.append(message)

        await self._application(_scope(request), receive, send)
        start = next(message for message in sent if message["type"] == "http.response.start")
        body = b"".join(message.get("body", b"") for message in sent if message["type"] == "http.response.body")
        kinds = [value.decode() for name, value in start["headers"] if name.lower() == b"content-type"]
        return http.Answer(int(start["status"]), kinds[0].partition(";")[0] if kinds else "", body)


def bring_up(root: Path) -> InProcess:
    """Django on this home, its database brought up to date.

    Raises HomeUnusable, DatabaseNewer, Unreachable, ConfigError.
    """
    from nephos.web import prepare

    loaded = load.load(root)
    loaded.home.create()  # of a home that was begun by hand only the settings may be there
    prepare.migrate(loaded)
    # A refusal is told once, by the command, and not by Django's logger beside it.
    logging.getLogger("django.request").setLevel(logging.ERROR)
    application: Application = importlib.import_module("nephos.web.asgi").application
    return InProcess(application)


def _scope(request: http.Request) -> Message:
    path, _, query = request.target.partition("?")
    headers = [(name.lower().encode(), value.encode()) for name, value in request.headers.items()]
    if request.body:
        headers.append((b"content-length", str(len(request.body)).encode()))
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(b"host", b"nephos"), *headers],
        "server": ("nephos", 80),
        "client": None,
        "nephos.local": True,
    }
