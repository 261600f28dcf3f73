"""Pages and their parts: each part has its own URL, is fetched again by the doorbell, and reads well alone."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import SafeString, mark_safe

from nephos.lib import errors
from nephos.web import access, roles, viewer

_NOTICE = "notice"

View = Callable[..., HttpResponse]


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a page. `topics` say which rings of the doorbell concern it."""

    title: str
    template: str
    topics: str
    build: Callable[[HttpRequest], Mapping[str, Any]]


def page(request: HttpRequest, template: str, *, status: int = 200, **context: Any) -> HttpResponse:
    """A whole page, in the viewer's zone, with the notice that the last action left."""
    notice = request.session.pop(_NOTICE, None) if hasattr(request, "session") else None
    with timezone.override(viewer.zone(request)):
        text = render_to_string(template, {"notice": notice, **context}, request=request)
    response = HttpResponse(text, status=status)
    response.headers["Cache-Control"] = "no-store"
    return response


def parts(request: HttpRequest, table: Mapping[str, Part], *, base: str) -> dict[str, SafeString]:
    """All parts of a page, for its template to lay out."""
    return {name: _section(request, part, f"{base}/parts/{name}") for name, part in table.items()}


def part(request: HttpRequest, table: Mapping[str, Part], name: str) -> HttpResponse:
    """One part: alone for scripts, inside the frame for people who follow its address."""
    chosen = table.get(name)
    if chosen is None:
        raise Http404("There is no such part of this page.")
    if "X-Part" in request.headers or "HX-Request" in request.headers:
        inside = _inside(request, chosen)
        response = HttpResponse(inside)
        response.headers["Cache-Control"] = "no-store"
        response.headers["X-Mark"] = _mark(inside)
        return response
    section = _section(request, chosen, request.path)
    return page(request, "web/part.html", title=chosen.title, section=section)


def _section(request: HttpRequest, chosen: Part, path: str) -> SafeString:
    query = request.META.get("QUERY_STRING", "")
    inside = _inside(request, chosen)
    context = {
        "part": chosen,
        "address": f"{path}?{query}" if query else path,
        "inside": mark_safe(inside),  # noqa: S308 - rendered by a template, escaped there
        "mark": _mark(inside),
    }
    return render_to_string("web/section.html", context)


def _mark(inside: str) -> str:
    """Tells whether a part has changed: a player that plays is left alone while nothing else is shown."""
    return hashlib.sha256(inside.encode()).hexdigest()[:16]


def _inside(request: HttpRequest, chosen: Part) -> str:
    with timezone.override(viewer.zone(request)):
        return render_to_string(chosen.template, dict(chosen.build(request)), request=request)


# --- actions ---------------------------------------------------------------------------------------------------------


def done(request: HttpRequest, back: str, sentence: str) -> HttpResponse:
    """After an action that went well: back to the page, which says so once."""
    return _told(request, back, tone="good", text=sentence)


def refused(request: HttpRequest, back: str, error: errors.NephosError) -> HttpResponse:
    """After an action that could not be done: back to the page, with the sentence and its hint."""
    return _told(request, back, tone="bad", text=error.message, hint=error.hint)


def _told(request: HttpRequest, back: str, **notice: str) -> HttpResponse:
    request.session[_NOTICE] = notice
    return HttpResponseRedirect(back)


def back(request: HttpRequest, otherwise: str) -> str:
    """The page that the form was on, if the form says so and it is one of ours."""
    wanted = request.POST.get("back", "")
    is_ours = wanted.startswith("/") and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None)
    return wanted if is_ours else otherwise


def actor(request: HttpRequest, scope: roles.Scope = roles.Scope.OPERATE) -> str:
    """Who acts, for the event. Raises NotSignedIn or NotAllowed."""
    caller = access.get_caller(request)
    access.require(caller, scope)
    return caller.name


def explained(view: View) -> View:
    """Errors of ours become a page with the sentence and the hint."""

    @functools.wraps(view)
    def explaining(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except errors.NephosError as error:
            return page(request, "web/problem.html", status=error.http_status, error=error)

    return explaining
