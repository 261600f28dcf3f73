"""What every answer carries and every request needs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.utils.http import urlencode
from whitenoise.middleware import WhiteNoiseMiddleware  # type: ignore[import-untyped]  # it ships no types

from nephos.web import access

Handler = Callable[[HttpRequest], HttpResponseBase]

POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
_OPEN = ("/login", "/healthz", "/static/", "/api/")


class ContentPolicy:
    """No inline script or style, nothing from elsewhere, no frames: a hostile channel name stays text."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Referrer-Policy", "same-origin")
        response.headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
        return response


class StaticFiles(WhiteNoiseMiddleware):  # type: ignore[misc]  # it ships no types
    """WhiteNoise, whose answers are whole: its file streams are synchronous, which ASGI only takes with a warning."""

    @staticmethod
    def serve(static_file: Any, request: HttpRequest) -> HttpResponse:
        found = static_file.get_response(request.method, request.META)
        content = b""
        if found.file is not None:
            with found.file:
                content = found.file.read()
        response = HttpResponse(content, status=int(found.status))
        del response.headers["Content-Type"]
        for key, value in found.headers:
            response.headers[key] = value
        return response


class PersonRequired:
    """Everything but the doors themselves needs somebody who is signed in; the API asks for itself."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if is_open(request.path) or access.find_caller(request) is not None:
            return self.get_response(request)
        if wants_a_page(request):
            return HttpResponseRedirect("/login?" + urlencode({"next": request.get_full_path()}))
        return HttpResponse("You are not signed in.\n", status=401, content_type="text/plain; charset=utf-8")


def is_open(path: str) -> bool:
    """Whether a path is one of the doors."""
    return any(path == door or path.startswith(door.rstrip("/") + "/") for door in _OPEN)


def wants_a_page(request: HttpRequest) -> bool:
    """Whether a person looks at this address, not a script, a stream or a player."""
    accepted = request.headers.get("Accept", "*/*")
    is_page = "text/html" in accepted or "*/*" in accepted
    return is_page and "X-Part" not in request.headers and not request.path.startswith("/media/")
