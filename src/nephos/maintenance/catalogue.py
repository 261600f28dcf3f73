"""The checks by name: what they look at, how often, when they last did; and one of them now."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from nephos.config import upkeep
from nephos.config.load import Loaded
from nephos.lib import clock, errors
from nephos.maintenance import vitals
from nephos.monitoring import asked, queries

_PATIENCE = timedelta(seconds=60)
# What each check tells of: how the kinds of its problems begin.
_PROBLEMS = {
    "disk": "disk.",
    "channels": "channel.",
    "signal": "channel.",
    "roles": "role",
    "deliveries": "delivery.",
    "programs": "program.",
    "critical": "log.critical",
    "settings": "settings.",
    "update": "update.",
}


@dataclass(frozen=True, slots=True)
class Check:
    """A check as it is set and as it last was."""

    name: str
    about: str
    enabled: bool
    interval_seconds: float
    ran_at: datetime | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """One look, asked for by a person; and the problems that are open after it."""

    check: str
    ran_at: datetime
    seconds: float
    error: str
    problems: list[queries.ProblemView]


class UnknownCheck(errors.NotFound):
    """There is no such check."""


class SwitchedOff(errors.NotNow):
    """That check is switched off."""


def checks(loaded: Loaded) -> list[Check]:
    """All of them, in the order of the settings."""
    ran = vitals.role(loaded, "keeper")["details"].get("ran", {})
    return [_check(field.name, loaded, ran) for field in msgspec.structs.fields(upkeep.Maintenance)]


def run(name: str, loaded: Loaded) -> Outcome:
    """Let the keeper look now. Raises UnknownCheck, SwitchedOff, NoKeeper, NoAnswer."""
    found = {one.name: one for one in checks(loaded)}
    if name not in found:
        raise UnknownCheck(f"There is no check {name[:40]!r}.", hint=f"There are: {', '.join(found)}.")
    if not found[name].enabled:
        raise SwitchedOff(
            f"The check {name} is switched off.", hint=f"nephos config set maintenance.{name}.enabled true"
        )
    answer = asked.ask(loaded.home, name, patience=_PATIENCE)
    kind = _PROBLEMS.get(name, "")
    return Outcome(
        check=name,
        ran_at=answer.ran_at,
        seconds=answer.seconds,
        error=answer.error,
        problems=queries.problems(kind=kind) if kind else [],
    )


def _check(name: str, loaded: Loaded, ran: dict[str, str]) -> Check:
    chosen = getattr(loaded.settings.maintenance, name)
    return Check(
        name=name,
        about=inspect.getdoc(type(chosen)) or "",
        enabled=chosen.enabled,
        interval_seconds=chosen.interval_seconds,
        ran_at=clock.parse(ran[name]) if name in ran else None,
    )
