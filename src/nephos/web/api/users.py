"""Accounts, tokens and login links."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from django.contrib.auth.models import User
from django.http import HttpRequest
from ninja import Field, Router, Schema
from ninja.responses import Status

from nephos.core import bootstrap
from nephos.lib import clock
from nephos.maintenance import vitals
from nephos.web import access, queries, roles, services
from nephos.web.api import doors

router = Router(tags=["people"])

_LONGEST_SECONDS = 3650 * 86400


class UserIn(Schema, extra="forbid"):
    """A new account; without a password it comes in by login links alone."""

    name: str
    role: str = "viewer"
    password: str = ""


class PasswordIn(Schema, extra="forbid"):
    """A new password."""

    password: str


class TokenIn(Schema, extra="forbid"):
    """A key for a program."""

    name: str
    scopes: list[str] = ["read"]
    user: str = ""
    expires_in_seconds: Annotated[float, Field(ge=0, le=_LONGEST_SECONDS)] | None = None


class LinkIn(Schema, extra="forbid"):
    """Who is to come in; nobody named: whoever asks, and over the socket the owner."""

    user: str = ""


@dataclass(frozen=True, slots=True)
class MadeTokenView:
    """A fresh token. Its secret is shown this once."""

    id: int
    name: str
    scopes: list[str]
    secret: str


@dataclass(frozen=True, slots=True)
class LinkView:
    """A door that opens once."""

    url: str
    user: str


@router.get("/users", auth=doors.ADMIN, response=list[queries.UserView])
def list_users(request: HttpRequest) -> list[queries.UserView]:
    """All accounts by name."""
    return queries.users()


@router.post("/users", auth=doors.ADMIN, response={201: queries.UserView})
def add_user(request: HttpRequest, body: UserIn) -> Status[queries.UserView]:
    """Add an account."""
    role = roles.read_role(body.role)
    made = services.add_user(name=body.name, role=role, password=body.password, actor=doors.actor(request))
    return Status(201, queries.user_view(made))


@router.delete("/users/{name}", auth=doors.ADMIN, response={204: None})
def remove_user(request: HttpRequest, name: str) -> Status[None]:
    """Remove an account with its tokens and links."""
    services.remove_user(user=queries.get_user(name), actor=doors.actor(request))
    return Status(204, None)


@router.post("/users/{name}/password", auth=doors.ADMIN, response={204: None})
def set_password(request: HttpRequest, name: str, body: PasswordIn) -> Status[None]:
    """Give an account a new password; its open sessions end."""
    services.set_password(user=queries.get_user(name), password=body.password, actor=doors.actor(request))
    return Status(204, None)


@router.get("/tokens", auth=doors.ADMIN, response=list[queries.TokenView])
def list_tokens(request: HttpRequest) -> list[queries.TokenView]:
    """All tokens, without their secrets."""
    return queries.tokens()


@router.post("/tokens", auth=doors.ADMIN, response={201: MadeTokenView})
def add_token(request: HttpRequest, body: TokenIn) -> Status[MadeTokenView]:
    """Make a token."""
    lasting = body.expires_in_seconds
    made = services.make_token(
        name=body.name,
        scopes=roles.read_scopes(body.scopes),
        user=queries.get_user(body.user) if body.user else None,
        expires_at=clock.now() + timedelta(seconds=lasting) if lasting is not None else None,
        actor=doors.actor(request),
    )
    return Status(201, MadeTokenView(made.token.pk, made.token.name, list(made.token.scopes), made.secret))


@router.delete("/tokens/{ref}", auth=doors.ADMIN, response={204: None})
def remove_token(request: HttpRequest, ref: str) -> Status[None]:
    """Take a token back, by id or name."""
    services.revoke_token(token=queries.get_token(ref), actor=doors.actor(request))
    return Status(204, None)


@router.post("/login-links", auth=doors.ADMIN, response={201: LinkView})
def add_link(request: HttpRequest, body: LinkIn | None = None) -> Status[LinkView]:
    """Make a login link that works once."""
    wanted = body.user if body is not None else ""
    user = queries.get_user(wanted) if wanted else _asker(request)
    secret = services.make_login_link(user=user)
    return Status(201, LinkView(f"{vitals.page(bootstrap.loaded())}/login/{secret}", user.username))


def _asker(request: HttpRequest) -> User:
    caller: object = getattr(request, "auth", None)
    if isinstance(caller, access.Caller) and caller.user_id is not None:
        return queries.get_user(caller.name)
    return services.ensure_owner()
