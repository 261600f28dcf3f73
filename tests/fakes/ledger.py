"""A ledger in memory that works, and an HTTP server around any ledger's answers."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from nephos.farm import ledger
from nephos.lib import clock, errors

TOKEN = "a-token-for-tests"


@dataclass
class Row:
    """One attempt."""

    assignment: ledger.Assignment
    worker: str
    state: str = "dispatched"
    until: float = 0.0
    lines: list[str] = field(default_factory=list)
    progress: tuple[float, str] = (0.0, "")
    outputs: list[dict[str, Any]] = field(default_factory=list)
    failure: tuple[str, int | None, bool] | None = None


class MemoryLedger:
    """Passes the contract suite of the real ones."""

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        self.down = False  # as if the station could not be reached
        self._lock = threading.Lock()

    def add(self, assignment: ledger.Assignment, *, worker: str) -> None:
        """As a dispatcher would."""
        self.rows[assignment.attempt] = Row(assignment, worker)

    def end(self, attempt: str, state: str) -> None:
        """As a cancel or an expired lease would."""
        self.rows[attempt].state = state

    def claim(self, attempt: str, *, worker: str) -> ledger.Assignment | None:
        with self._lock:
            row = self.rows.get(attempt)
            if row is None or row.state != "dispatched" or row.worker != worker:
                return None
            row.state, row.until = "running", clock.monotonic() + row.assignment.lease_seconds
            return row.assignment

    def renew(self, attempt: str) -> bool:
        if self.down:
            raise errors.Unreachable
        with self._lock:
            row = self._running(attempt)
            if row is None or row.until < clock.monotonic():
                return False
            row.until = clock.monotonic() + row.assignment.lease_seconds
            return True

    def log(self, attempt: str, lines: Sequence[str]) -> None:
        if row := self._running(attempt):
            row.lines.extend(lines)

    def progress(self, attempt: str, *, fraction: float, text: str) -> None:
        if row := self._running(attempt):
            row.progress = (fraction, text)

    def commit(self, attempt: str, outputs: Sequence[ledger.Output]) -> bool:
        with self._lock:
            row = self._running(attempt)
            if row is not None:
                row.state, row.outputs = "done", [output.plain() for output in outputs]
            return attempt in self.rows and self.rows[attempt].state == "done"

    def fail(self, attempt: str, *, reason: str, exit_code: int | None, retry: bool) -> bool:
        with self._lock:
            row = self._running(attempt)
            if row is not None:
                row.state, row.failure = "failed", (reason, exit_code, retry)
            return attempt in self.rows and self.rows[attempt].state == "failed"

    def _running(self, attempt: str) -> Row | None:
        row = self.rows.get(attempt)
        return row if row is not None and row.state == "running" else None


def answer(book: ledger.Ledger) -> Callable[[str, Mapping[str, Any]], dict[str, Any]]:
    """What `farm.local_ledger.answer` is for the real one."""

    def reply(verb: str, body: Mapping[str, Any]) -> dict[str, Any]:
        facts = {key: value for key, value in body.items() if key != "attempt"}
        if verb == "commit":
            facts["outputs"] = [ledger.parse_output(entry) for entry in facts["outputs"]]
        found = getattr(book, verb)(body["attempt"], **facts)
        return {"assignment": asdict(found) if found else None} if verb == "claim" else {"ok": bool(found)}

    return reply


@contextmanager
def served(reply: Callable[[str, Mapping[str, Any]], dict[str, Any]]) -> Iterator[str]:
    """The URL of a server on loopback that answers `/api/v1/ledger/VERB` for whoever has the token."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, document = 200, {}
            if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                status = 401
            else:
                try:
                    document = reply(self.path.rsplit("/", 1)[1], body)
                except errors.NephosError as error:
                    status, document = error.http_status, {"detail": error.message}
            raw = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *_: object) -> None:
            return

    class Server(ThreadingHTTPServer):
        daemon_threads = False
        block_on_close = True

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
