"""Every refusal as a problem document (RFC 9457): a title, a sentence, a hint; never a traceback."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError

from nephos.lib import errors

logger = logging.getLogger(__name__)

CONTENT_TYPE = "application/problem+json"
# For refusals that bring no better one of their own.
_HINTS = {
    400: "The body must be one JSON document; /api/v1/openapi.json shows its form.",
    404: "The list of that noun shows what there is.",
    409: "Look at what is there now; another name may do, or another moment.",
    413: "Send less at once.",
    422: "The command's --help, or /api/v1/openapi.json, says what is taken here.",
}

View = Callable[..., HttpResponseBase]


def response(status: int, detail: str, *, hint: str = "", kind: str = "", **more: Any) -> HttpResponse:
    """A problem document."""
    title = HTTPStatus(status).phrase
    document = {
        "type": f"urn:nephos:problem:{kind or _dashed(title)}",
        "title": title,
        "status": status,
        "detail": detail,
        "hint": hint or _HINTS.get(status, ""),
        **more,
    }
    answer = HttpResponse(json.dumps(document), status=status, content_type=CONTENT_TYPE)
    if status == HTTPStatus.UNAUTHORIZED:
        answer["WWW-Authenticate"] = "Bearer"
    return answer


def install(api: NinjaAPI) -> None:
    """Teach the API to answer so."""
    handlers: dict[type[Exception], Callable[..., HttpResponse]] = {
        errors.NephosError: _of_ours,
        ValidationError: _of_validation,
        HttpError: _of_http,
        Http404: _of_missing,
        RequestDataTooBig: _of_size,
        OperationalError: _of_database,
        Exception: _of_bug,
    }
    for kind, handler in handlers.items():
        api.add_exception_handler(kind, handler)


def tidy(view: View) -> View:
    """The same view, whose "wrong method" is a problem document too, and that no database sees a NUL from."""

    def tidied(request: HttpRequest, *args: Any, **places: Any) -> HttpResponseBase:
        if "\x00" in request.path:
            return response(404, "The path holds a NUL character, which no name does.")
        answer = view(request, *args, **places)
        if answer.status_code != HTTPStatus.METHOD_NOT_ALLOWED:
            return answer
        allowed = ", ".join(sorted(answer["Allow"].split(", ")))
        problem = response(405, f"{request.method} is not possible here.", hint=f"Possible: {allowed}.")
        problem["Allow"] = allowed
        return problem

    tidied.csrf_exempt = True  # type: ignore[attr-defined]  # doors ask for the token where a session is used
    return tidied


def nowhere(request: HttpRequest) -> HttpResponse:
    """What any other path below the API answers."""
    return response(404, f"The API has no {request.path[:120]}.", hint="/api/v1/openapi.json lists what it has.")


nowhere.csrf_exempt = True  # type: ignore[attr-defined]  # else a POST would be told off by a page


def _of_ours(request: HttpRequest, error: errors.NephosError) -> HttpResponse:
    if error.http_status >= 500:
        logger.warning("A request was not possible", extra={"path": request.path, "problem": error.message})
    return response(error.http_status, error.message, hint=error.hint, kind=_dashed(type(error).__name__))


def _of_validation(_request: HttpRequest, error: ValidationError) -> HttpResponse:
    found = [{"where": _where(one), "message": str(one.get("msg", ""))} for one in error.errors[:20]]
    sentence = "; ".join(f"{one['where']}: {one['message']}" for one in found[:5])
    return response(422, f"{sentence}.", kind="invalid", errors=found)


def _where(one: Mapping[str, Any]) -> str:
    place, *path = (str(part)[:60] for part in one.get("loc", ("request",)))
    # Ninja calls a body by the name of the handler's parameter, which is nothing to people.
    return ".".join(path[1:] if place == "body" and len(path) > 1 else path) or place


def _of_http(request: HttpRequest, error: HttpError) -> HttpResponse:
    cause = error.__cause__
    if isinstance(cause, errors.NephosError):
        return _of_ours(request, cause)
    if isinstance(cause, RequestDataTooBig):
        return _of_size(request, cause)
    if error.status_code == HTTPStatus.BAD_REQUEST:
        return response(400, "The body of the request is no JSON.")
    return response(error.status_code, error.message)


def _of_size(_request: HttpRequest, _error: RequestDataTooBig) -> HttpResponse:
    return response(413, "The request is larger than 2 MiB.")


def _of_missing(request: HttpRequest, _error: Http404) -> HttpResponse:
    return nowhere(request)


def _of_database(request: HttpRequest, error: OperationalError) -> HttpResponse:
    logger.error("The database failed a request", exc_info=error, extra={"path": request.path})
    return response(503, "The database cannot be used just now.", hint="`nephos doctor` looks into it.")


def _of_bug(request: HttpRequest, error: Exception) -> HttpResponse:
    logger.error("A request failed", exc_info=error, extra={"method": request.method, "path": request.path})
    return response(
        500, "Something went wrong in the station.", hint="`nephos logs web` tells where; please report it."
    )


def _dashed(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])|[^A-Za-z]+", "-", name).strip("-").lower()
