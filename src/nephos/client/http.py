"""Talk to the API of a station: over its Unix socket, or over http(s) with a token."""

from __future__ import annotations

import errno
import http.client
import json
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote, urlencode, urlsplit

from nephos.client import errors
from nephos.config.secret import Secret
from nephos.lib import errors as lib_errors

PREFIX = "/api/v1"
TIMEOUT = timedelta(seconds=60)
_MOST_BYTES = 64 << 20
_START_HINT = "`nephos start` starts a station here; --server names another."

Plain = str | int | float | bool
Query = Mapping[str, Plain | None]


@dataclass(frozen=True, slots=True)
class Request:
    """One call, ready to be sent."""

    method: str
    target: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    content_type: str
    body: bytes


class Transport(Protocol):
    """A way to a station."""

    def send(self, request: Request) -> Answer:
        """Raises StationUnreachable or TimedOut."""


class Client:
    """The API of one station as plain calls."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def call(self, method: str, path: str, *, query: Query | None = None, body: object = None) -> Any:
        """The decoded JSON answer, the text of one that is no JSON, None for an empty one.

        Raises what the station's problem document says, StationUnreachable, NoStation or TimedOut.
        """
        answer = self._transport.send(_request(method, path, query, body))
        document = _document(answer)
        if answer.status >= 400:
            raise errors.from_problem(answer.status, document if isinstance(document, dict) else {})
        if answer.status >= 300:
            raise errors.NoStation(f"The server answered {answer.status} where an answer of the API was expected.")
        return document

    def get(self, path: str, **query: Plain | None) -> Any:
        return self.call("GET", path, query=query)

    def post(self, path: str, body: object = None) -> Any:
        return self.call("POST", path, body=body)


@dataclass(frozen=True, slots=True)
class UnixSocket:
    """The station of a home on this machine; the kernel says who calls, so no token is needed."""

    path: Path
    timeout: timedelta = TIMEOUT

    def send(self, request: Request) -> Answer:
        """Raises StationUnreachable if nobody listens there."""
        connection = _UnixConnection(self.path, timeout=self.timeout.total_seconds())
        return _exchange(connection, request, where=str(self.path))


@dataclass(frozen=True, slots=True)
class Remote:
    """A station by its URL."""

    url: str
    token: Secret | None = None
    timeout: timedelta = TIMEOUT

    def send(self, request: Request) -> Answer:
        """Raises Invalid for a URL that is none, StationUnreachable if nobody answers."""
        scheme, host, port, base = address(self.url)
        connection: http.client.HTTPConnection
        if scheme == "https":
            context = ssl.create_default_context()
            connection = http.client.HTTPSConnection(host, port, timeout=self.timeout.total_seconds(), context=context)
        else:
            connection = http.client.HTTPConnection(host, port, timeout=self.timeout.total_seconds())
        headers = dict(request.headers)
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token.reveal()}"
        whole = Request(request.method, base + request.target, headers, request.body)
        return _exchange(connection, whole, where=self.url)


def address(url: str) -> tuple[str, str, int | None, str]:
    """Scheme, host, port and base path of a server's URL. Raises Invalid."""
    hint = "Write it like https://station.example.org or http://127.0.0.1:8600."
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise lib_errors.Invalid(f"{url[:80]!r} is no server URL.", hint=hint) from None
    plain = all(c.isprintable() and c != " " for c in url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or not plain:
        raise lib_errors.Invalid(f"{url[:80]!r} is no server URL.", hint=hint)
    return parts.scheme, parts.hostname, port, parts.path.rstrip("/")


def fill(path: str, *parts: str | int) -> str:
    """Put values into the `{places}` of a path, each made harmless."""
    pieces = path.split("/")
    values = iter(parts)
    return "/".join(quote(str(next(values)), safe="") if piece.startswith("{") else piece for piece in pieces)


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path, *, timeout: float) -> None:
        super().__init__("nephos", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        family = getattr(socket, "AF_UNIX", None)
        if family is None:
            raise OSError(errno.EAFNOSUPPORT, "this system has no Unix sockets")
        connection = socket.socket(family, socket.SOCK_STREAM)
        connection.settimeout(self.timeout)
        try:
            connection.connect(str(self._path))
        except BaseException:
            connection.close()
            raise
        self.sock = connection


def _request(method: str, path: str, query: Query | None, body: object) -> Request:
    chosen = {key: _written(value) for key, value in (query or {}).items() if value is not None}
    target = f"{PREFIX}{path}" + (f"?{urlencode(chosen)}" if chosen else "")
    headers = {"Accept": "application/json"}
    if body is None:
        return Request(method, target, headers)
    raw = json.dumps(body, ensure_ascii=True).encode()
    return Request(method, target, {**headers, "Content-Type": "application/json"}, raw)


def _written(value: Plain) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _exchange(connection: http.client.HTTPConnection, request: Request, *, where: str) -> Answer:
    try:
        connection.request(request.method, request.target, body=request.body or None, headers=request.headers)
        response = connection.getresponse()
        body = response.read(_MOST_BYTES)
        return Answer(response.status, response.headers.get_content_type(), body)
    except TimeoutError as error:
        raise lib_errors.TimedOut(f"The station at {where} did not answer in time.") from error
    except ssl.SSLCertVerificationError as error:
        raise errors.StationUnreachable(
            f"The certificate of {where} is not trusted: {error.verify_message}.", hint="Nothing was sent to it."
        ) from error
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise errors.StationUnreachable(
            f"The station at {where} cannot be reached: {reason}.", hint=_START_HINT
        ) from error
    finally:
        connection.close()


def _document(answer: Answer) -> Any:
    if not answer.body:
        return None
    if answer.content_type not in ("application/json", "application/problem+json"):
        if answer.status < 300 and answer.content_type not in ("text/plain", "text/calendar"):
            raise errors.NoStation(f"What answered there is no Nephos station: it sent {answer.content_type}.")
        return answer.body.decode(errors="replace")
    try:
        return json.loads(answer.body)
    except ValueError as error:
        raise errors.NoStation("What answered there is no Nephos station: its JSON cannot be read.") from error
