"""The doorbell: one reader for the whole process, many listeners, messages that say only what to fetch again."""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from django.db import DatabaseError, close_old_connections, connections
from django.http import HttpRequest, StreamingHttpResponse

from nephos.core import bootstrap
from nephos.lib import clock, errors
from nephos.web import rings

logger = logging.getLogger(__name__)

_POLL_SECONDS = 0.25
_BREATH_SECONDS = 15.0  # a comment now and then, so that proxies and sleeping laptops notice a dead line
_LIFE_SECONDS = 1800.0  # then the browser connects again and is asked again who it is
_MOST_WAITING = 200


@dataclass(slots=True, eq=False)
class Listener:
    """One open stream. Rings wait here, each once; too many become one that means everything."""

    loop: asyncio.AbstractEventLoop
    awake: asyncio.Event = field(default_factory=asyncio.Event)
    waiting: dict[rings.Ring, None] = field(default_factory=dict)

    def ring(self, news: list[rings.Ring]) -> None:
        """Called in the listener's loop."""
        self.waiting.update(dict.fromkeys(news))
        if len(self.waiting) > _MOST_WAITING:
            self.waiting = {rings.EVERYTHING: None}
        self.awake.set()

    def take(self) -> list[rings.Ring]:
        """What waits; nothing waits afterwards."""
        taken, self.waiting = list(self.waiting), {}
        self.awake.clear()
        return taken


class Doorbell:
    """Polls while anybody listens. A slow or dead listener never holds up another."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._listeners: set[Listener] = set()
        self._reader: threading.Thread | None = None
        self._closed = threading.Event()

    def count(self) -> int:
        """How many streams are open."""
        return len(self._listeners)

    def is_closed(self) -> bool:
        """Whether the station is stopping."""
        return self._closed.is_set()

    def join(self, listener: Listener) -> None:
        """From now on the listener is rung."""
        with self._guard:
            self._listeners.add(listener)
            if self._reader is None:
                self._reader = threading.Thread(target=self._read, name="doorbell", daemon=True)
                self._reader.start()

    def leave(self, listener: Listener) -> None:
        """The listener is rung no more; the reader ends with the last one."""
        with self._guard:
            self._listeners.discard(listener)

    def close(self) -> None:
        """End all streams."""
        self._closed.set()
        self._tell([])

    def _read(self) -> None:
        look = rings.Look(bootstrap.loaded())
        while not self._over():
            try:
                close_old_connections()
                news = look.news()
            except (DatabaseError, sqlite3.Error, errors.NephosError):
                logger.warning("The doorbell cannot look; it tries again", exc_info=True)
                news = []
            if news:
                self._tell(news)
            self._closed.wait(_POLL_SECONDS)
        connections.close_all()

    def _over(self) -> bool:
        with self._guard:
            if self._listeners and not self._closed.is_set():
                return False
            self._reader = None
            return True

    def _tell(self, news: list[rings.Ring]) -> None:
        with self._guard:
            listeners = list(self._listeners)
        for listener in listeners:
            if not listener.loop.is_closed():
                listener.loop.call_soon_threadsafe(listener.ring, news)


doorbell = Doorbell()


async def stream(_request: HttpRequest) -> StreamingHttpResponse:
    """`/events/stream`: server-sent events, `{"topic", "id"}` each."""
    response = StreamingHttpResponse(_messages(), content_type="text/event-stream")
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"
    return response


async def _messages() -> AsyncIterator[str]:
    listener = Listener(asyncio.get_running_loop())
    doorbell.join(listener)
    ends_at = clock.monotonic() + _LIFE_SECONDS
    try:
        yield "retry: 2000\n\n"
        while not doorbell.is_closed() and clock.monotonic() < ends_at:
            try:
                await asyncio.wait_for(listener.awake.wait(), _BREATH_SECONDS)
            except TimeoutError:
                yield ": breath\n\n"
            for ring in listener.take():
                yield f"data: {json.dumps({'topic': ring.topic, 'id': ring.id})}\n\n"
    finally:
        doorbell.leave(listener)
