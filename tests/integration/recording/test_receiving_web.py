"""Transport streams over HTTP: read by ourselves, bit for bit, from servers of every kind of conduct."""

from __future__ import annotations

import http.server
import selectors
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from nephos.recording.sources import base, errors, ffmpeg, links, process, registry, web
from tests.fakes import senders, tls, transport

STREAM = transport.stream(3000)
Answer = Callable[["Handler"], None]


@dataclass
class Site:
    """A web server whose pages are functions; what was asked for is remembered."""

    pages: dict[str, Answer]
    asked: list[tuple[str, str]] = field(default_factory=list)  # path, authorization
    port: int = 0

    def url(self, path: str, user: str = "") -> str:
        return f"http://{user}127.0.0.1:{self.port}{path}"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    site: Site

    def do_GET(self) -> None:
        self.site.asked.append((self.path, self.headers.get("Authorization", "")))
        self.close_connection = True
        self.site.pages[self.path](self)

    def head(self, code: int = 200, **headers: str) -> None:
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def whole(handler: Handler) -> None:
    handler.head(Content_Type="video/mp2t", Content_Length=str(len(STREAM)))
    handler.wfile.write(STREAM)


def without_length(handler: Handler) -> None:
    handler.head(Content_Type="application/octet-stream")
    for start in range(0, len(STREAM), 1000):
        handler.wfile.write(STREAM[start : start + 1000])


def chunked(handler: Handler) -> None:
    handler.head(Transfer_Encoding="chunked")
    for start in range(0, len(STREAM), 1316):
        piece = STREAM[start : start + 1316]
        handler.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
    handler.wfile.write(b"0\r\n\r\n")


def silent_after_some(handler: Handler) -> None:
    handler.head(Content_Type="video/mp2t")
    handler.wfile.write(STREAM[: 188 * 100])
    handler.wfile.flush()
    handler.connection.settimeout(60)
    handler.connection.recv(1)  # until the other side goes


def moved_to(target: str) -> Answer:
    return lambda handler: handler.head(302, Location=target, Content_Length="0")


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site({"/live": whole, "/endless": without_length, "/chunked": chunked, "/silent": silent_after_some})
    handler = type("SiteHandler", (Handler,), {"site": made})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    made.port = server.server_port
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield made
    server.shutdown()
    server.server_close()


def received(one: process.ProcessSource, *, timeout: float = 60) -> tuple[bytes, errors.SourceError]:
    """Every byte that comes until the source ends, and the reason that it gives."""
    out = b""
    until = time.monotonic() + timeout
    one.open()
    try:
        with selectors.DefaultSelector() as selector:
            selector.register(one, selectors.EVENT_READ)
            while time.monotonic() < until:
                if selector.select(0.2):
                    one.fill()
                    out += one.take().raw
    except errors.SourceError as error:
        return out, error
    finally:
        one.close()
    raise AssertionError("it did not end")


def read(url: str) -> tuple[bytes, errors.SourceError]:
    return received(web.source(links.read(url)))


@pytest.mark.parametrize("path", ["/live", "/endless", "/chunked"])
def test_every_byte_comes_as_it_was_sent(site: Site, path: str) -> None:
    out, error = read(site.url(path))

    assert out == STREAM
    assert "ended" in error.message


def test_a_source_of_the_registry_is_read_without_another_program(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ffmpeg, "command", lambda *_, **__: pytest.fail("ffmpeg was asked for"))
    one = registry.make(site.url("/live"), registry.Options())
    assert isinstance(one, process.ProcessSource)

    out, _ = received(one)

    assert out == STREAM


@pytest.mark.parametrize("stride", [192, 204])
def test_packets_with_more_than_188_bytes_come_out_as_packets(site: Site, stride: int) -> None:
    before = b"\1\2\3\4" if stride == 192 else b""
    after = bytes(16) if stride == 204 else b""
    packets = [before + STREAM[at : at + 188] + after for at in range(0, len(STREAM), 188)]
    site.pages["/wide"] = lambda handler: (handler.head(), handler.wfile.write(b"".join(packets)))[0]
    one = web.source(links.read(site.url("/wide")))

    out, _ = received(one)

    got = one.decode(base.Load(out, [len(out)], begins=True)).packets.tobytes()
    assert STREAM.startswith(got)
    assert len(got) >= len(STREAM) - 188  # the bytes behind the last one, which tell that it is whole, never come


def test_redirects_are_followed_and_only_so_many(site: Site) -> None:
    site.pages |= {"/a": moved_to("/b"), "/b": moved_to(site.url("/live")), "/loop": moved_to("/loop")}

    out, _ = read(site.url("/a"))
    nothing, error = read(site.url("/loop"))

    assert out == STREAM
    assert nothing == b""
    assert "302" in error.message
    assert len(site.asked) < 20


@pytest.mark.parametrize("target", ["file:///etc/hostname", "ftp://127.0.0.1/x", "gopher://h/", "http://[/"])
def test_a_redirect_to_anything_but_the_web_is_refused(site: Site, target: str) -> None:
    site.pages["/trap"] = moved_to(target)

    out, error = read(site.url("/trap"))

    assert out == b""
    assert "cannot be fetched" in error.message


def test_a_password_goes_to_its_own_server_only(site: Site) -> None:
    other = Site({"/live": whole})
    handler = type("OtherHandler", (Handler,), {"site": other})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        other.port = server.server_port
        site.pages |= {"/same": moved_to("/live"), "/away": moved_to(other.url("/live"))}

        same, _ = read(site.url("/same", user="me:hunter2@"))
        away, _ = read(site.url("/away", user="me:hunter2@"))
        server.shutdown()

    assert same == away == STREAM
    assert {path for path, secret in site.asked if secret == "Basic bWU6aHVudGVyMg=="} == {"/same", "/live", "/away"}
    assert other.asked == [("/live", "")]


@pytest.mark.parametrize("code", [401, 404, 500, 503])
def test_a_refusal_is_told_in_the_words_of_the_server_without_the_password(site: Site, code: int) -> None:
    site.pages["/no"] = lambda handler: handler.head(code, Content_Length="0")

    out, error = read(site.url("/no", user="me:hunter2@"))

    assert out == b""
    assert str(code) in error.message
    assert "hunter2" not in f"{error.message}{error.hint}"
    assert bool(error.hint) == (code == 401)


def test_a_server_that_falls_silent_is_left(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "STALL_SECONDS", 3.0)

    out, error = read(site.url("/silent"))

    assert out == STREAM[: 188 * 100]
    assert "sent nothing" in error.message


def test_nobody_at_that_port_and_no_such_name_are_told() -> None:
    for url in (f"http://127.0.0.1:{senders.free_tcp_port()}/x", "http://no-such-host.invalid/x"):
        out, error = read(url)
        assert out == b""
        assert "cannot be fetched" in error.message


@pytest.mark.parametrize("answer", [b"", b"\0\xff\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 500, b"x" * 70_000])
def test_a_server_that_speaks_no_http_is_survived(answer: bytes) -> None:
    class Rude(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(4096)
            self.request.sendall(answer)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Rude) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        out, error = read(f"http://127.0.0.1:{server.server_address[1]}/x")
        server.shutdown()

    assert out == b""
    assert "cannot be fetched" in error.message


def test_over_tls_too_and_only_from_a_server_that_proves_itself(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tls.fronting(site.port, tmp_path) as (port, certificate):
        nothing, error = read(f"https://127.0.0.1:{port}/live")
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        out, _ = read(f"https://127.0.0.1:{port}/live")

    assert nothing == b""
    assert "not trusted" in error.message
    assert out == STREAM


def test_a_playlist_over_tls_comes_only_from_a_server_that_proves_itself(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = ["#EXTM3U", "#EXT-X-TARGETDURATION:2", "#EXTINF:2,", "part.ts", "#EXT-X-ENDLIST", ""]
    part = senders.material(tmp_path, seconds=2).read_bytes()
    for path, content in (("/live.m3u8", "\n".join(lines).encode()), ("/part.ts", part)):
        site.pages[path] = lambda handler, content=content: (handler.head(), handler.wfile.write(content))[0]  # type: ignore[misc]

    with tls.fronting(site.port, tmp_path / "tls") as (port, certificate):
        url = f"https://127.0.0.1:{port}/live.m3u8"
        refused = registry.make(url, registry.Options())
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        trusted = registry.make(url, registry.Options())
        assert isinstance(refused, process.ProcessSource)
        assert isinstance(trusted, process.ProcessSource)
        out, _ = received(trusted)
        monkeypatch.delenv("SSL_CERT_FILE")
        nothing, error = received(refused)

    assert nothing == b""
    assert "m3u8" in error.message or "certificate" in error.message
    assert out[:1] == b"G"


@pytest.mark.parametrize(
    ("kind", "content", "is_playlist"),
    [
        ("application/vnd.apple.mpegurl", b"#EXTM3U\n", True),
        ("text/plain", b"#EXTM3U\n#EXT-X-VERSION:3\n" + b"#" * 3000, True),
        ("video/mp4", b"\0\0\0 ftypisom" + bytes(3000), False),
        ("text/html", b"<html>G" + b"G" * 3, False),
    ],
)
def test_what_is_no_transport_stream_is_left_to_ffmpeg(
    site: Site, kind: str, content: bytes, is_playlist: bool
) -> None:
    site.pages["/x"] = lambda handler: (handler.head(Content_Type=kind), handler.wfile.write(content))[0]
    prepare = web.source(links.read(site.url("/x")))._prepare

    feed = prepare(threading.Event())

    assert not callable(feed)
    assert feed[0] == "ffmpeg"
    assert ("-re" in feed) is is_playlist


def test_what_nobody_wants_any_more_is_left_at_once(site: Site) -> None:
    gone = threading.Event()

    def endless(handler: Handler) -> None:
        handler.head()
        try:
            while True:
                handler.wfile.write(STREAM)
        except OSError:
            gone.set()

    site.pages["/live"] = endless
    one = web.source(links.read(site.url("/live")))
    one.open()
    with selectors.DefaultSelector() as selector:
        selector.register(one, selectors.EVENT_READ)
        assert selector.select(60)

    one.close()

    assert gone.wait(60)


def test_the_server_of_a_channel_that_sends_slowly_is_heard_at_once(site: Site) -> None:
    more = threading.Event()

    def trickle(handler: Handler) -> None:
        handler.head(Transfer_Encoding="chunked")
        handler.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        handler.wfile.write(f"{188 * 20:x}\r\n".encode() + STREAM[: 188 * 20] + b"\r\n")
        more.wait(60)
        handler.wfile.write(b"0\r\n\r\n")

    site.pages["/live"] = trickle
    one = web.source(links.read(site.url("/live")))
    one.open()
    held = 0
    with selectors.DefaultSelector() as selector:
        selector.register(one, selectors.EVENT_READ)
        while held < 188 * 20:
            assert selector.select(60)
            held = one.fill()
    more.set()
    one.close()
