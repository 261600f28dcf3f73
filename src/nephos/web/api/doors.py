"""Which scope an operation needs, and who came through."""

from __future__ import annotations

from django.http import HttpRequest
from ninja.security.base import AuthBase

from nephos.web import access, roles


class Door(AuthBase):
    """Lets in whoever has the scope: the home's owner over the socket, a token, a session with its CSRF token."""

    openapi_type = "http"
    openapi_scheme = "bearer"

    def __init__(self, scope: roles.Scope) -> None:
        self.scope = scope
        super().__init__()

    def __call__(self, request: HttpRequest) -> access.Caller:
        """Raises NotSignedIn or NotAllowed."""
        caller = access.get_caller(request)
        access.require(caller, self.scope)
        return caller


READ = Door(roles.Scope.READ)
OPERATE = Door(roles.Scope.OPERATE)
ADMIN = Door(roles.Scope.ADMIN)
WORKER = Door(roles.Scope.WORKER)


def actor(request: HttpRequest) -> str:
    """The name that goes into events."""
    caller: object = getattr(request, "auth", None)
    return caller.name if isinstance(caller, access.Caller) else ""
