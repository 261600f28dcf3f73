"""The client against a small server: answers, refusals and silence become values and errors."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from nephos.client import errors, http
from nephos.config.secret import Secret
from nephos.lib import errors as lib_errors
from nephos.lib.errors import ExitCode

Script = dict[str, tuple[int, str, bytes]]


class _Handler(BaseHTTPRequestHandler):
    script: Script = {}
    seen: list[tuple[str, str, dict[str, str], bytes]] = []

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.seen.append((self.command, self.path, dict(self.headers), body))
        path = self.path.removeprefix("/base").partition("?")[0]
        status, kind, content = self.script.get(path, (200, "application/json", b"[]"))
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PATCH = do_DELETE = _answer  # noqa: N815 - the names are the library's

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def address_string(self) -> str:
        return "test"


@pytest.fixture
def script() -> Script:
    _Handler.script, _Handler.seen = {}, []
    return _Handler.script


@pytest.fixture
def server(script: Script) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as listening:
        threading.Thread(target=listening.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{listening.server_address[1]}"
        listening.shutdown()


@pytest.fixture
def client(server: str) -> http.Client:
    return http.Client(http.Remote(server, Secret("nph_x"), timeout=timedelta(seconds=5)))


def problem(status: int, **more: Any) -> tuple[int, str, bytes]:
    document = {"type": "x", "title": "No", "status": status, "detail": "It is not there.", "hint": "Look.", **more}
    return status, "application/problem+json", json.dumps(document).encode()


def test_a_call_carries_token_query_and_body(client: http.Client) -> None:
    client.call("POST", "/channels", query={"a": "x y", "b": None, "c": True}, body={"name": "ñ"})

    method, path, headers, body = _Handler.seen[0]
    assert (method, path) == ("POST", "/api/v1/channels?a=x+y&c=true")
    assert headers["Authorization"] == "Bearer nph_x"
    assert json.loads(body) == {"name": "ñ"}


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (400, lib_errors.Invalid, ExitCode.USAGE),
        (401, lib_errors.NotAllowed, ExitCode.NOT_ALLOWED),
        (403, lib_errors.NotAllowed, ExitCode.NOT_ALLOWED),
        (404, lib_errors.NotFound, ExitCode.NOT_FOUND),
        (405, lib_errors.Invalid, ExitCode.USAGE),
        (409, lib_errors.NotNow, ExitCode.NOT_NOW),
        (413, lib_errors.Invalid, ExitCode.USAGE),
        (422, lib_errors.Invalid, ExitCode.USAGE),
        (500, lib_errors.NephosError, ExitCode.FAILED),
        (503, lib_errors.Unreachable, ExitCode.UNREACHABLE),
        (504, lib_errors.TimedOut, ExitCode.TIMED_OUT),
    ],
)
def test_a_problem_comes_back_as_the_error_it_was(
    client: http.Client, script: Script, status: int, kind: type[lib_errors.NephosError], code: ExitCode
) -> None:
    script["/api/v1/x"] = problem(status)

    with pytest.raises(kind) as caught:
        client.get("/x")

    assert caught.value.exit_code == code
    assert (caught.value.message, caught.value.hint) == ("It is not there.", "Look.")


@pytest.mark.parametrize(
    "answer",
    [
        (200, "text/html", b"<html>"),
        (200, "application/json", b"{"),
        (302, "text/html", b""),
        (200, "application/octet-stream", b"\0"),
    ],
)
def test_what_is_no_station_is_told(client: http.Client, script: Script, answer: tuple[int, str, bytes]) -> None:
    script["/api/v1/x"] = answer

    with pytest.raises(errors.NoStation):
        client.get("/x")


def test_a_refusal_that_is_no_problem_document_still_has_a_sentence(client: http.Client, script: Script) -> None:
    script["/api/v1/x"] = (404, "text/html", b"<h1>Not Found</h1>")

    with pytest.raises(lib_errors.NotFound, match="404"):
        client.get("/x")


def test_text_comes_as_text_and_nothing_as_none(client: http.Client, script: Script) -> None:
    script["/api/v1/log"] = (200, "text/plain", "líne\n".encode())
    script["/api/v1/gone"] = (204, "text/plain", b"")

    assert client.get("/log") == "líne\n"
    assert client.call("DELETE", "/gone") is None


def test_a_base_path_of_the_server_is_kept(server: str) -> None:
    http.Client(http.Remote(f"{server}/base/")).get("/status")

    assert _Handler.seen[0][1] == "/base/api/v1/status"


def test_silence_is_a_time_out() -> None:
    with socketserver.TCPServer(("127.0.0.1", 0), socketserver.BaseRequestHandler) as silent:
        url = f"http://127.0.0.1:{silent.server_address[1]}"

        with pytest.raises(lib_errors.TimedOut):
            http.Client(http.Remote(url, timeout=timedelta(seconds=0.1))).get("/status")


def test_nobody_there_is_unreachable_with_a_hint(tmp_path: Path) -> None:
    for transport in (http.Remote("http://127.0.0.1:9"), http.UnixSocket(tmp_path / "api.sock")):
        with pytest.raises(errors.StationUnreachable) as caught:
            http.Client(transport).get("/status")

        assert "nephos start" in caught.value.hint


@pytest.mark.parametrize(
    "url", ["", "x", "ftp://x", "http://", "http://a:b", "http://u:p@h", "http://a b", "http://a\n"]
)
def test_a_url_that_is_none_is_invalid(url: str) -> None:
    with pytest.raises(lib_errors.Invalid):
        http.address(url)


def test_values_cannot_leave_their_place_in_a_path() -> None:
    assert http.fill("/a/{ref}/b", "../x?y#z%") == "/a/..%2Fx%3Fy%23z%25/b"
