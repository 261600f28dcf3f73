"""An S3 server in memory for what `rclone serve s3` cannot do: copies in parts, rules of other providers, refusals."""

from __future__ import annotations

import contextlib
import hashlib
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

NAME = "bench"
Refusal = tuple[int, str]


@dataclass
class Bucket:
    """What is in it, and what it does not let pass: `refuse` is asked of every request, `equal_parts` is R2's rule."""

    objects: dict[str, bytes] = field(default_factory=dict)
    metadata: dict[str, dict[str, str]] = field(default_factory=dict)
    uploads: dict[str, dict[int, bytes]] = field(default_factory=dict)
    requests: list[tuple[str, str, str]] = field(default_factory=list)  # method, target, host
    refuse: Callable[[str, str], Refusal | None] = lambda method, target: None
    equal_parts: bool = False
    port: int = 0
    _pending: dict[str, dict[str, str]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(
        self, method: str, target: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        """One request; path style and virtual hosts alike."""
        host = headers["host"]
        with self._lock:
            self.requests.append((method, target, host))
            refusal = self.refuse(method, target)
            if refusal is not None:
                return _error(*refusal)
            url = urlsplit(target)
            path = unquote(url.path)[1:]
            key = path if host.startswith(f"{NAME}.") else path.partition("/")[2]
            query = {name: values[0] for name, values in parse_qs(url.query, keep_blank_values=True).items()}
            return self._do(method, key, query, headers, body)

    def _do(  # noqa: PLR0911 - a line for each call
        self, method: str, key: str, query: dict[str, str], headers: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        upload = query.get("uploadId", "")
        if method == "POST" and "uploads" in query:
            upload = f"u{len(self.uploads)}"
            self.uploads[upload], self._pending[upload] = {}, _meta(headers)
            return 200, {}, f"<R><UploadId>{upload}</UploadId></R>".encode()
        if method == "POST":
            return self._complete(key, upload)
        if method == "PUT" and "x-amz-copy-source" in headers:
            return self._copy(key, query, headers)
        if method == "PUT" and upload:
            self.uploads[upload][int(query["partNumber"])] = body
            return 200, {"etag": _etag(body)}, b""
        if method == "PUT":
            self.objects[key], self.metadata[key] = body, _meta(headers)
            return 200, {"etag": _etag(body)}, b""
        if method == "DELETE":
            (self.uploads.pop(upload, None) if upload else self.objects.pop(key, None))
            return 204, {}, b""
        if key not in self.objects:
            return _error(404, "NoSuchKey")
        return 200, {"etag": _etag(self.objects[key]), **self.metadata[key]}, self.objects[key]

    def _copy(self, key: str, query: dict[str, str], headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        source = unquote(headers["x-amz-copy-source"]).partition(f"/{NAME}/")[2]
        content = self.objects[source]
        if "uploadId" in query:
            found = re.fullmatch(r"bytes=(\d+)-(\d+)", headers["x-amz-copy-source-range"])
            assert found
            piece = content[int(found[1]) : int(found[2]) + 1]
            self.uploads[query["uploadId"]][int(query["partNumber"])] = piece
            return 200, {}, f"<CopyPartResult><ETag>{_etag(piece)}</ETag></CopyPartResult>".encode()
        self.objects[key], self.metadata[key] = content, dict(self.metadata[source])
        return 200, {}, f"<CopyObjectResult><ETag>{_etag(content)}</ETag></CopyObjectResult>".encode()

    def _complete(self, key: str, upload: str) -> tuple[int, dict[str, str], bytes]:
        parts = [part for _, part in sorted(self.uploads[upload].items())]
        if self.equal_parts and len({len(part) for part in parts[:-1]}) > 1:
            return _error(400, "InvalidPart")
        self.objects[key] = b"".join(parts)
        self.metadata[key] = self._pending.pop(upload)
        del self.uploads[upload]
        return 200, {}, f"<R><ETag>{_etag(self.objects[key])}</ETag></R>".encode()


def _meta(headers: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.startswith("x-amz-meta-")}


def _etag(content: bytes) -> str:
    return f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'


def _error(status: int, code: str) -> tuple[int, dict[str, str], bytes]:
    return status, {}, f"<Error><Code>{code}</Code><Message>so it is</Message></Error>".encode()


@contextlib.contextmanager
def serving() -> Iterator[Bucket]:
    """A bucket on a free port."""
    bucket = Bucket()

    class Door(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, more, content = bucket.answer(self.command, self.path, headers, body)
            self.send_response(status)
            for name, value in more.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _serve  # noqa: N815 - its names

        def log_message(self, format: str, *values: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    server.daemon_threads = True
    bucket.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield bucket
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
