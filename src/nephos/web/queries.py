"""Accounts and tokens as frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User

from nephos.lib import text as texts
from nephos.web import access, errors
from nephos.web.models import ApiToken


@dataclass(frozen=True, slots=True)
class UserView:
    """An account."""

    id: int
    name: str
    role: str
    has_password: bool
    last_login_at: datetime | None


@dataclass(frozen=True, slots=True)
class TokenView:
    """A token without its secret."""

    id: int
    name: str
    scopes: list[str]
    user: str
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None


def users() -> list[UserView]:
    """All accounts by name."""
    return [user_view(row) for row in User.objects.order_by("username")]


def user_view(row: User) -> UserView:
    """The value of one row."""
    return UserView(row.pk, row.username, access.role_of(row), row.has_usable_password(), row.last_login)


def get_user(name: str) -> User:
    """An account by name. Raises UnknownUser."""
    row = User.objects.filter(username__iexact=texts.searched(name)).first()
    if row is None:
        raise errors.UnknownUser(f"There is no account {name[:80]!r}.", hint="`nephos user list` shows them.")
    return row


def tokens() -> list[TokenView]:
    """All tokens, oldest first."""
    return [token_view(row) for row in ApiToken.objects.select_related("user")]


def token_view(row: ApiToken) -> TokenView:
    """The value of one row."""
    return TokenView(
        row.pk,
        row.name,
        list(row.scopes),
        row.user.username if row.user else "",
        row.created_at,
        row.last_used_at,
        row.expires_at,
    )


def get_token(ref: str | int) -> ApiToken:
    """A token by id or by its name, if only one is called that. Raises UnknownToken."""
    text = str(ref)
    if text.isascii() and text.isdigit() and len(text) < 18 and (row := ApiToken.objects.filter(pk=int(text)).first()):
        return row
    named = list(ApiToken.objects.filter(name=text)[:2])
    if len(named) == 1:
        return named[0]
    raise errors.UnknownToken(f"There is no token {text[:80]!r}.", hint="`nephos token list` shows them.")
