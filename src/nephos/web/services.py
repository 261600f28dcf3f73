"""Verbs that write: accounts, tokens, login links."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth import authenticate, password_validation
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet

from nephos.core import claims
from nephos.events import kinds, log
from nephos.lib import clock, ids
from nephos.lib import errors as lib_errors
from nephos.library import naming
from nephos.web import errors, roles
from nephos.web.models import Account, ApiToken, LoginLink

OWNER = "owner"
LINK_LIFETIME = timedelta(minutes=15)
FIRST_LINK_LIFETIME = timedelta(hours=24)

_USER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}")
_TOKEN_PREFIX = "nph_"  # noqa: S105 - lets scanners and people recognise a leaked token
_USE_NOTED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class MadeToken:
    """A fresh token; its secret is shown this once."""

    token: ApiToken
    secret: str


def digest(secret: str) -> str:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


# --- accounts --------------------------------------------------------------------------------------------------------


def add_user(*, name: str, role: roles.Role, password: str = "", actor: str = "") -> User:
    """Add an account; without a password it can only come in by a login link. Raises Invalid or UserTaken."""
    if not _USER_NAME.fullmatch(name):
        raise lib_errors.Invalid(
            f"{name[:40]!r} is no name for an account.",
            hint="Up to 64 letters, digits and . _ @ + - are allowed; it begins with a letter or digit.",
        )
    if password:
        _check_password(password, User(username=name))
    with transaction.atomic():
        if User.objects.filter(username__iexact=name).exists():
            raise errors.UserTaken(f"There is an account {name} already.")
        user = User.objects.create_user(username=name, password=password or None)
        Account.objects.create(user=user, role=role)
        log.emit(kinds.UserAdded(subject=f"user:{user.pk}", user=name, role=role), actor=actor)
    return user


def remove_user(*, user: User, actor: str = "") -> None:
    """Remove an account with its tokens and links. Raises LastAdmin."""
    with transaction.atomic():
        _refuse_last_admin(user)
        log.emit(kinds.UserRemoved(subject=f"user:{user.pk}", user=user.username), actor=actor)
        user.delete()


def set_password(*, user: User, password: str, actor: str = "") -> None:
    """Give an account a password; its open sessions end. Raises Invalid."""
    _check_password(password, user)
    with transaction.atomic():
        user.set_password(password)
        user.save(update_fields=["password"])
        log.emit(kinds.UserChanged(subject=f"user:{user.pk}", user=user.username, what="a new password"), actor=actor)


def set_role(*, user: User, role: roles.Role, actor: str = "") -> None:
    """Change what an account may do. Raises LastAdmin."""
    with transaction.atomic():
        if role != roles.Role.ADMIN:
            _refuse_last_admin(user)
        Account.objects.update_or_create(user=user, defaults={"role": role})
        log.emit(kinds.UserChanged(subject=f"user:{user.pk}", user=user.username, what=f"the role {role}"), actor=actor)


def ensure_owner() -> User:
    """The account of the person whose home this is; made at the first start."""
    user = User.objects.filter(username=OWNER).first()
    if user is None:
        return add_user(name=OWNER, role=roles.Role.ADMIN)
    return user


def sign_in(*, name: str, password: str) -> User:
    """The account that these belong to. Raises WrongPassword, whichever of the two is wrong."""
    user = authenticate(username=name, password=password)
    if not isinstance(user, User):
        raise errors.WrongPassword
    return user


def _check_password(password: str, user: User) -> None:
    try:
        password_validation.validate_password(password, user)
    except ValidationError as error:
        raise lib_errors.Invalid(" ".join(error.messages)) from None


def _refuse_last_admin(user: User) -> None:
    admins = Account.objects.filter(role=roles.Role.ADMIN, user__is_active=True)
    if admins.filter(user=user).exists() and not admins.exclude(user=user).exists():
        raise errors.LastAdmin(hint="Make another admin first: nephos user add NAME --role admin")


# --- tokens ----------------------------------------------------------------------------------------------------------


def make_token(
    *,
    name: str,
    scopes: list[roles.Scope],
    user: User | None = None,
    expires_at: datetime | None = None,
    actor: str = "",
) -> MadeToken:
    """A key for programs. Raises Invalid."""
    name = naming.title(name, what="token's name")
    wanted = roles.read_scopes(scopes)
    if expires_at is not None and expires_at <= clock.now():
        raise lib_errors.Invalid("The token would have expired already.")
    secret = _TOKEN_PREFIX + ids.secret()
    with transaction.atomic():
        token = ApiToken.objects.create(
            name=name, hash=digest(secret), scopes=[str(scope) for scope in wanted], user=user, expires_at=expires_at
        )
        event = kinds.TokenMade(subject=f"token:{token.pk}", token=name, scopes=", ".join(wanted))
        log.emit(event, actor=actor)
    return MadeToken(token, secret)


def revoke_token(*, token: ApiToken, actor: str = "") -> None:
    """The token opens nothing from now on."""
    with transaction.atomic():
        log.emit(kinds.TokenRevoked(subject=f"token:{token.pk}", token=token.name), actor=actor)
        token.delete()


def use_token(secret: str) -> ApiToken | None:
    """The living token with this secret, None if there is none. The look-up is by hash, so time tells nothing."""
    now = clock.now()
    token = ApiToken.objects.select_related("user").filter(hash=digest(secret)).first()
    if token is None or (token.expires_at is not None and token.expires_at <= now):
        return None
    if token.user is not None and not token.user.is_active:
        return None
    if token.last_used_at is None or now - token.last_used_at > _USE_NOTED_EVERY:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
    return token


# --- login links -----------------------------------------------------------------------------------------------------


def make_login_link(*, user: User, lifetime: timedelta = LINK_LIFETIME) -> str:
    """The secret of a fresh one-time link; links that are over are swept out."""
    now = clock.now()
    LoginLink.objects.filter(expires_at__lt=now).delete()
    secret = ids.secret()
    LoginLink.objects.create(hash=digest(secret), user=user, created_at=now, expires_at=now + lifetime)
    return secret


def look_at_login_link(secret: str) -> None:
    """See whether a link opens something, without spending it. Raises LinkSpent."""
    if not _open_links(secret).exists():
        raise _spent()


def _open_links(secret: str) -> QuerySet[LoginLink]:
    """By hash, so that time tells nothing."""
    return LoginLink.objects.filter(hash=digest(secret), used_at=None, expires_at__gt=clock.now(), user__is_active=True)


def _spent() -> errors.LinkSpent:
    return errors.LinkSpent(hint="Make a new one: `nephos open` on the station's machine, or `nephos user link NAME`")


def use_login_link(secret: str) -> User:
    """The account behind a link, which is spent by this. Raises LinkSpent.

    Of two at once the conditional update lets one in.
    """
    links = _open_links(secret)
    with transaction.atomic():
        link = links.select_related("user").first()
        if link is None or not claims.take(links, used_at=clock.now()):
            raise _spent()
        log.emit(kinds.LinkUsed(subject=f"user:{link.user.pk}", user=link.user.username), actor=link.user.username)
    return link.user
