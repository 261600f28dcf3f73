"""People and their keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from nephos.events.kinds.base import Level


@dataclass(frozen=True, slots=True, kw_only=True)
class UserAdded:
    name: ClassVar[str] = "user.added"
    level: ClassVar[Level] = Level.INFO
    sentence: ClassVar[str] = "Account {user} was added as {role}."
    subject: str
    user: str
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UserChanged:
    name: ClassVar[str] = "user.changed"
    level: ClassVar[Level] = Level.INFO
    sentence: ClassVar[str] = "Account {user} got {what}."
    subject: str
    user: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UserRemoved:
    name: ClassVar[str] = "user.removed"
    level: ClassVar[Level] = Level.INFO
    sentence: ClassVar[str] = "Account {user} was removed."
    subject: str
    user: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkUsed:
    name: ClassVar[str] = "user.link_used"
    level: ClassVar[Level] = Level.INFO
    sentence: ClassVar[str] = "{user} came in by a login link."
    subject: str
    user: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenMade:
    name: ClassVar[str] = "token.made"
    level: ClassVar[Level] = Level.INFO
    sentence: ClassVar[str] = "Token {token} was made with the scopes {scopes}."
    subject: str
    token: str
    scopes: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRevoked:
    name: ClassVar[str] = "token.revoked"
    level: ClassVar[Level] = Level.INFO
    sentence: ClassVar[str] = "Token {token} was revoked."
    subject: str
    token: str
