"""What every answer carries and every request needs."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.utils.http import urlencode

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


class PersonRequired:
    """Everything but the doors themselves needs somebody who is signed in; the API asks for itself."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if is_open(request.path) or access.find_caller(request) is not None:
            return self.get_response(request)
        if request.headers.get("X-Part") or "text/html" not in request.headers.get("Accept", "text/html"):
            return HttpResponse("You are not signed in.\n", status=401, content_type="text/plain; charset=utf-8")
        return HttpResponseRedirect("/login?" + urlencode({"next": request.get_full_path()}))


def is_open(path: str) -> bool:
    """Whether a path is one of the doors."""
    return any(path == door or path.startswith(door.rstrip("/") + "/") for door in _OPEN)
