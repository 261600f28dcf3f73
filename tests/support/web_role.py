"""A real web role in a process of its own, and a browser of a few lines."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from nephos.config import load
from nephos.lib import heartbeats
from tests.support import waiting


@dataclass
class WebRole:
    """`python -m nephos.daemon web`, prepared and served."""

    root: Path
    port: int = 0
    process: subprocess.Popen[str] | None = None
    login: str = ""
    loaded: load.Loaded = field(init=False)

    def __post_init__(self) -> None:
        environment = {"NEPHOS_WEB_PORT": str(self.port)}
        self.environment = {**os.environ, **environment}
        self.environment.pop("NEPHOS_DATABASE_URL", None)
        self.loaded = load.load(self.root / "home", environment=environment)

    @property
    def argv(self) -> list[str]:
        return [sys.executable, "-m", "nephos.daemon", "web", str(self.loaded.home.root)]

    def prepare(self) -> subprocess.CompletedProcess[str]:
        """Bring the database up to date."""
        argv = [sys.executable, "-m", "nephos.web.prepare", "--home", str(self.loaded.home.root)]
        return subprocess.run(argv, env=self.environment, capture_output=True, text=True, timeout=60, check=False)

    def start(self) -> None:
        """Returns when the page answers."""
        self.login = json.loads(self.prepare().stdout)["login"]
        self.process = subprocess.Popen(
            self.argv, env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        waiting.until(self.address, seconds=30, what="the page")

    def address(self) -> str:
        """The URL, empty while nobody serves."""
        beat = heartbeats.read(self.loaded.home.run, "web") or {}
        return str(beat.get("details", {}).get("address", ""))

    def stop(self) -> None:
        """Ask it to end, and see that it does."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=15)


@dataclass(frozen=True, slots=True)
class Page:
    """An answer, read to its end."""

    status: int
    headers: http.client.HTTPMessage
    text: str


class Browser:
    """Keeps cookies, sends forms and hears the doorbell."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self.host, self.port = str(parts.hostname), int(parts.port or 80)
        self.cookies: dict[str, str] = {}
        self._streams: list[tuple[http.client.HTTPConnection, threading.Thread]] = []

    def open(
        self, path: str, *, method: str = "GET", body: str | None = None, headers: dict[str, str] | None = None
    ) -> Page:
        """The answer to one request."""
        connection, answer = self._ask(path, method, body, headers or {})
        with contextlib.closing(connection), answer:
            return Page(answer.status, answer.headers, answer.read().decode())

    def _ask(
        self, path: str, method: str, body: str | None, headers: dict[str, str]
    ) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=20)
        sent = {"Accept": "text/html", **self._cookie(), **headers}
        connection.request(method, path, body=body, headers=sent)
        answer = connection.getresponse()
        for line in answer.headers.get_all("Set-Cookie") or []:
            key, _, value = line.partition(";")[0].partition("=")
            self.cookies[key] = value
        return connection, answer

    def _cookie(self) -> dict[str, str]:
        cookie = "; ".join(f"{key}={value}" for key, value in self.cookies.items())
        return {"Cookie": cookie} if cookie else {}

    def send(self, path: str, **values: str) -> Page:
        """Fill in and send the form of a page."""
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self.open(path).text)
        assert token is not None
        body = urlencode({"csrfmiddlewaretoken": token[1], **values})
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.open(path, method="POST", body=body, headers=kind)

    def listen(self, heard: list[dict[str, str]]) -> threading.Thread:
        """Collect the rings of the doorbell until the stream ends."""
        connection, answer = self._ask("/events/stream", "GET", None, {"Accept": "text/event-stream"})
        assert answer.status == 200

        def read() -> None:
            with contextlib.closing(connection), answer, contextlib.suppress(OSError, http.client.HTTPException):
                for line in answer:
                    if line.startswith(b"data: "):
                        heard.append(json.loads(line[6:]))

        thread = threading.Thread(target=read, daemon=True)
        self._streams.append((connection, thread))
        thread.start()
        return thread

    def close(self) -> None:
        """End all streams."""
        for connection, thread in self._streams:
            if connection.sock is not None:
                with contextlib.suppress(OSError):
                    connection.sock.shutdown(socket.SHUT_RDWR)
            thread.join(timeout=5)
