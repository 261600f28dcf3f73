"""The API's front: what it is made of and where it hangs."""

from __future__ import annotations

from importlib import metadata
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, re_path
from ninja import NinjaAPI
from ninja.operation import Operation

from nephos.web.api import (
    assets,
    bookings,
    channels,
    connections,
    doors,
    events,
    guide,
    imports,
    jobs,
    ledger,
    mail,
    maintenance,
    open_problems,
    plugins,
    problems,
    retention,
    schedules,
    shares,
    status,
    users,
    watches,
    wire,
    workers,
)

PREFIX = "/api/v1/"
NOUNS = (
    status,
    channels,
    schedules,
    guide,
    bookings,
    assets,
    jobs,
    workers,
    connections,
    watches,
    plugins,
    shares,
    open_problems,
    mail,
    maintenance,
    retention,
    events,
    users,
    imports,
    ledger,
)


class Api(NinjaAPI):
    """Ninja, with operation ids that people can read: `channels_add`."""

    def get_openapi_operation_id(self, operation: Operation) -> str:
        module = operation.view_func.__module__.rpartition(".")[2]
        return f"{module}_{operation.view_func.__name__.rstrip('_')}"


api = Api(
    title="Nephos",
    version=metadata.version("nephos-station"),
    description="Everything a station can do. Commands, pages, workers and other stations use nothing else.",
    openapi_url=None,
    docs_url=None,  # a page of documentation would load scripts from elsewhere
    renderer=wire.Renderer(),
    parser=wire.Reader(),
    auth=doors.ADMIN,  # an operation that names no scope is nobody's but the owner's
    urls_namespace="api",
)
problems.install(api)
for noun in NOUNS:
    api.add_router("", noun.router)


def document() -> dict[str, Any]:
    """The OpenAPI document."""
    return dict(api.get_openapi_schema(path_prefix=PREFIX))


@api.get("/openapi.json", auth=doors.READ, include_in_schema=False)
def openapi(request: HttpRequest) -> HttpResponse:
    """The OpenAPI document; for people with a token, as everything is."""
    return HttpResponse(wire.Renderer().render(request, document(), response_status=200), "application/json")


def patterns() -> list[URLPattern]:
    """Addresses below `/api/v1/`; everything unknown there is a problem document too."""
    made = api.urls[0]
    named = [path(str(one.pattern), problems.tidy(one.callback)) for one in made if isinstance(one, URLPattern)]
    return [*(one for one in named if str(one.pattern)), re_path(r"^", problems.nowhere)]
