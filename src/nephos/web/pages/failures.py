"""What is shown when there is no page: plain, without a look into the database.

Django calls these for asynchronous views in a thread of its own, whose database connection nobody would close.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string


def _shown(status: int) -> HttpResponse:
    return HttpResponse(render_to_string(f"{status}.html"), status=status)


def bad_request(_request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - Django names it
    """An address that we do not answer to, or a request that is none."""
    return _shown(400)


def not_allowed(_request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - Django names it
    """Somebody who may not."""
    return _shown(403)


def not_found(_request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - Django names it
    """Nothing at this address."""
    return _shown(404)


def failed(_request: HttpRequest) -> HttpResponse:
    """A mistake of ours; the log has the trace."""
    return _shown(500)
