"""Callers of the API: the real ASGI application, asked over the owner's socket or from outside."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from nephos.cli import in_process
from nephos.client import http
from nephos.web import asgi, roles, serve, services


@dataclass
class Answer:
    """A status, a document and where it says it comes from."""

    status: int
    document: Any
    kind: str


class Caller:
    """Somebody who sends requests."""

    def __init__(self, *, local: bool, headers: dict[str, str] | None = None) -> None:
        self._transport = in_process.InProcess(serve.marked(asgi.application, local=local))  # type: ignore[arg-type]
        self._headers = headers or {}

    def __call__(self, method: str, path: str, body: object = None, *, raw: bytes | None = None) -> Answer:
        content = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", **self._headers} if content else dict(self._headers)
        whole = path if path.startswith("/api") else f"/api/v1{path}"
        answer = self._transport.send(http.Request(method, whole, headers, content))
        text = answer.body.decode()
        document = json.loads(text) if text and "json" in answer.content_type else text or None
        return Answer(answer.status, document, answer.content_type)


def with_token(*scopes: str) -> Caller:
    """A program with a token of these scopes."""
    made = services.make_token(name="test", scopes=[roles.Scope(scope) for scope in scopes])
    return Caller(local=False, headers={"Authorization": f"Bearer {made.secret}"})
