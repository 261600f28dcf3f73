"""Who is asking: the home's owner over the Unix socket, a program with a token, or a person with a session."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware

from nephos.lib import errors as lib_errors
from nephos.web import errors, roles, services
from nephos.web.models import Account

LOCAL_MARK = "nephos.local"  # a key of the ASGI scope: no client can send one


class Door(StrEnum):
    """How somebody came in."""

    SOCKET = "socket"
    TOKEN = "token"  # noqa: S105 - the kind of door
    SESSION = "session"


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who was let in; `name` goes into events as their actor."""

    name: str
    scopes: frozenset[roles.Scope]
    door: Door
    user_id: int | None = None

    def may(self, scope: roles.Scope) -> bool:
        """Whether their scopes include this one."""
        return scope in self.scopes


def get_caller(request: HttpRequest) -> Caller:
    """Who is asking. Raises NotSignedIn; for a session that changes things without its CSRF token, NotAllowed."""
    found = find_caller(request)
    if found is None:
        raise errors.NotSignedIn(hint="Send a token: Authorization: Bearer nph_...")
    if found.door is Door.SESSION and not _carries_csrf_token(request):
        raise lib_errors.NotAllowed("The request does not carry the page's CSRF token.", hint="Reload the page.")
    return found


def require(caller: Caller, scope: roles.Scope) -> None:
    """Raises NotAllowed if the caller may not do this."""
    if not caller.may(scope):
        raise lib_errors.NotAllowed(f"{caller.name} may not do that.", hint=f"It needs the scope {scope}.")


def find_caller(request: HttpRequest) -> Caller | None:
    """Who is asking, None if nobody we know. A wrong token is nobody, even beside a good session."""
    if is_local(request):
        return Caller(services.OWNER, roles.scopes_of(roles.Role.ADMIN), Door.SOCKET)
    secret = bearer(request)
    if secret is not None:
        return of_token(secret)
    user = getattr(request, "user", None)
    return of_user(user) if isinstance(user, User) and user.is_active else None


def is_local(request: HttpRequest) -> bool:
    """Whether the request came over the home's own socket (or in process), which only its owner can open."""
    scope = getattr(request, "scope", None)
    return isinstance(scope, dict) and scope.get(LOCAL_MARK) is True


def bearer(request: HttpRequest) -> str | None:
    """The secret of `Authorization: Bearer ...`."""
    kind, _, secret = request.headers.get("Authorization", "").partition(" ")
    return secret.strip() if kind.lower() == "bearer" else None


def of_token(secret: str) -> Caller | None:
    """The caller behind a token's secret. A person's token can never do more than the person."""
    token = services.use_token(secret)
    if token is None:
        return None
    scopes = roles.expand(roles.Scope(name) for name in token.scopes)
    if token.user is None:
        return Caller(f"token {token.name}", scopes, Door.TOKEN)
    allowed = roles.scopes_of(role_of(token.user))
    return Caller(token.user.username, scopes & allowed, Door.TOKEN, token.user.pk)


def of_user(user: User) -> Caller:
    """The caller behind a session."""
    return Caller(user.username, roles.scopes_of(role_of(user)), Door.SESSION, user.pk)


def role_of(user: User) -> roles.Role:
    """What an account is; without a row it may only look."""
    role = Account.objects.filter(user=user).values_list("role", flat=True).first()
    return roles.Role(role) if role else roles.Role.VIEWER


def _carries_csrf_token(request: HttpRequest) -> bool:
    check = CsrfViewMiddleware(lambda _: HttpResponse())
    check.process_request(request)
    return check.process_view(request, lambda _: HttpResponse(), (), {}) is None
