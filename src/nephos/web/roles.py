"""Who may do what: three roles for people, five scopes for doors; pure."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from nephos.lib import errors


class Scope(StrEnum):
    """What a token or a person may do. `admin` includes all others, `operate` includes `read`."""

    READ = "read"
    OPERATE = "operate"
    ADMIN = "admin"
    REPORT = "report"  # a station to its hub
    WORKER = "worker"  # a farm worker to the attempt ledger


class Role(StrEnum):
    """What an account may do."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"


_INCLUDED: dict[Scope, frozenset[Scope]] = {
    Scope.ADMIN: frozenset(Scope),
    Scope.OPERATE: frozenset({Scope.OPERATE, Scope.READ}),
}

_OF_ROLE: dict[Role, Scope] = {Role.VIEWER: Scope.READ, Role.OPERATOR: Scope.OPERATE, Role.ADMIN: Scope.ADMIN}


def expand(scopes: Iterable[Scope]) -> frozenset[Scope]:
    """The scopes with everything that they include."""
    return frozenset(inner for scope in scopes for inner in _INCLUDED.get(scope, frozenset({scope})))


def scopes_of(role: Role) -> frozenset[Scope]:
    """What people of a role may do."""
    return expand([_OF_ROLE[role]])


def read_scopes(names: Iterable[str]) -> list[Scope]:
    """Scopes from their names, sorted and without doubles. Raises Invalid for an unknown one and for none at all."""
    try:
        scopes = sorted({Scope(name) for name in names})
    except ValueError as error:
        raise errors.Invalid(
            f"There is no such scope: {str(error)[:60]}.", hint=f"Known: {', '.join(Scope)}."
        ) from None
    if not scopes:
        raise errors.Invalid("A token needs at least one scope.", hint=f"Known: {', '.join(Scope)}.")
    return scopes


def read_role(name: str) -> Role:
    """A role from its name. Raises Invalid."""
    try:
        return Role(name)
    except ValueError:
        raise errors.Invalid(f"There is no role {name[:40]!r}.", hint=f"Known: {', '.join(Role)}.") from None
