"""HTTP and HTTPS: a transport stream is read by ourselves, bit for bit; whatever else comes is left to ffmpeg.

Runs on a source's own thread: names, connections, TLS and slow servers take their time. A server that says nothing for
some seconds is left; the receiver then comes back with growing pauses. Certificates are verified.
"""

from __future__ import annotations

import base64
import contextlib
import email.message
import http.client
import os
import ssl
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from typing import IO

from nephos.lib import clock, ports
from nephos.recording.sources import errors, ffmpeg, links, process

STALL_SECONDS = 5.0
_HEAD_BYTES = 2048  # of the content; enough to see packets in step
_READ_BYTES = 128 * 1024
_WAITED_SECONDS = 0.001
_NAP_SECONDS = 0.03  # after all that waited was read, so that more comes together
_MOST_REDIRECTS = 5
_STRIDES = (188, 192, 204)
_PROOF = 4
_PLAYLISTS = ("mpegurl", "dash+xml")

Response = http.client.HTTPResponse


def source(link: links.Link) -> process.ProcessSource:
    """The source of a link to something that is no playlist by its name."""

    def prepare(is_unwanted: ports.Waiter) -> process.Feed:
        response = _ask(link)
        is_playlist = _says_playlist(response.headers)
        head = b"" if is_playlist else _read_head(link, response)
        if is_stream(head):
            return _pump(link, response, head, is_unwanted)
        response.close()
        return ffmpeg.command(link, is_playlist=is_playlist or head.lstrip().startswith(b"#EXTM3U"))

    return process.ProcessSource(prepare, what=link.scheme, shown=link.shown)


def is_stream(head: bytes) -> bool:
    """Whether these bytes hold transport packets in step."""
    return any(
        head[start : start + _PROOF * stride : stride] == b"G" * _PROOF
        for stride in _STRIDES
        for start in range(max(0, len(head) - (_PROOF - 1) * stride))
    )


def _pump(link: links.Link, response: Response, head: bytes, is_unwanted: ports.Waiter) -> Callable[[int], None]:
    def run(out: int) -> None:
        with response, contextlib.suppress(BrokenPipeError):  # nobody wants it any more
            piece = head
            while piece and not is_unwanted.is_set():
                _write(out, piece)
                began = clock.monotonic()
                piece = _read(link, response)
                if clock.monotonic() - began > _WAITED_SECONDS:
                    is_unwanted.wait(_NAP_SECONDS)

    return run


def _write(out: int, piece: bytes) -> None:
    view = memoryview(piece)
    while view:
        view = view[os.write(out, view) :]


def _ask(link: links.Link) -> Response:
    """The answer of a server, its content not yet read. Raises SourceError."""
    parts = urllib.parse.urlsplit(link.url)
    user, at, place = parts.netloc.rpartition("@")
    request = urllib.request.Request(  # noqa: S310 - only http and https come here, and only they are followed
        urllib.parse.urlunsplit(parts._replace(netloc=place)), headers={"User-Agent": "nephos", "Accept": "*/*"}
    )
    if at:
        name = urllib.parse.unquote(user).encode()
        request.add_unredirected_header("Authorization", f"Basic {base64.b64encode(name).decode()}")
    try:
        answer = _opener().open(request, timeout=STALL_SECONDS)
    except urllib.error.HTTPError as error:
        error.close()
        raise _refused(link, error) from None
    except (OSError, ValueError, http.client.HTTPException) as error:  # ValueError: a redirection to no address
        raise errors.SourceError(f"{link.shown} cannot be fetched: {_told(error)}.") from error
    assert isinstance(answer, Response)  # noqa: S101 - what these handlers make
    return answer


def _opener() -> urllib.request.OpenerDirector:
    """Without the handlers of files and FTP: a redirection must not make us read a file of this machine."""
    opener = urllib.request.OpenerDirector()
    kinds = (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(context=ssl.create_default_context()),
        urllib.request.HTTPDefaultErrorHandler(),
        _Redirects(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.UnknownHandler(),
    )
    for one in kinds:
        opener.add_handler(one)
    return opener


class _Redirects(urllib.request.HTTPRedirectHandler):
    """A password goes along to the same server and to no other."""

    max_redirections = _MOST_REDIRECTS

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        fresh = super().redirect_request(req, fp, code, msg, headers, newurl)
        secret = req.unredirected_hdrs.get("Authorization")
        if fresh is not None and secret and (fresh.type, fresh.host) == (req.type, req.host):
            fresh.add_unredirected_header("Authorization", secret)
        return fresh


def _says_playlist(headers: email.message.Message) -> bool:
    return any(word in headers.get_content_type() for word in _PLAYLISTS)


def _read_head(link: links.Link, response: Response) -> bytes:
    head = b""
    while len(head) < _HEAD_BYTES and (piece := _read(link, response)):
        head += piece
    return head


def _read(link: links.Link, response: Response) -> bytes:
    """What came; nothing at the end. Raises SourceError."""
    try:
        return response.read1(_READ_BYTES)
    except TimeoutError:
        raise errors.SourceError(f"{link.shown} sent nothing for {STALL_SECONDS:.0f} s.") from None
    except (OSError, http.client.HTTPException) as error:
        raise errors.SourceError(f"{link.shown} broke off: {_told(error)}.") from error


def _refused(link: links.Link, error: urllib.error.HTTPError) -> errors.SourceError:
    hint = "Name and password stand in the address: http://name:password@host/..." if error.code in (401, 403) else ""
    return errors.SourceError(
        f"{link.shown} cannot be fetched: the server says {error.code} {error.reason}.", hint=hint
    )


def _told(error: Exception) -> str:
    reason = getattr(error, "reason", None) or error
    if isinstance(reason, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({reason.verify_message})"
    return str(getattr(reason, "strerror", None) or reason or type(reason).__name__).rstrip(".")
