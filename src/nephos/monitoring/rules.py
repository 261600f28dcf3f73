"""Who is told of an event, over which channel; pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from nephos.config import schema

MAIL = "mail"
WEBHOOK = "webhook:"

# What is wrong with a channel cannot be told over that channel; a cry of a program has no end that is worth a mail.
_NOT_BY_THEMSELVES = "notice.failing"
_ENDS_IN_SILENCE = frozenset({"log.critical", "notice.failing"})


@dataclass(frozen=True, slots=True)
class Target:
    """One receiver on one channel."""

    channel: str
    receiver: str

    def uid(self, event: int) -> str:
        """Of all notices: an event is told once to each."""
        return f"{event}:{self.channel}:{self.receiver}"[:200]


def targets(kind: str, *, problem: str, about: str, settings: schema.Settings) -> list[Target]:
    """Everybody who is to be told. `problem` is the kind of the problem that the event is about, if it is."""
    if not settings.monitoring.enabled or (kind == "problem.closed" and problem in _ENDS_IN_SILENCE):
        return []
    found = [*_by_mail(kind, settings), *_by_webhook(kind, settings)]
    if problem == _NOT_BY_THEMSELVES:
        found = [one for one in found if f"channel:{one.channel}" != about]
    return list(dict.fromkeys(found))


def _by_mail(kind: str, settings: schema.Settings) -> Iterable[Target]:
    mail = settings.mail
    if not mail.host or not mail.enabled:
        return
    if _fits(kind, settings.monitoring.critical):
        yield from (Target(MAIL, address) for address in mail.critical)
    if _fits(kind, settings.monitoring.report):
        yield from (Target(MAIL, address) for address in mail.report or mail.critical)


def _by_webhook(kind: str, settings: schema.Settings) -> Iterable[Target]:
    for name, hook in settings.webhook.items():
        if hook.enabled and _fits(kind, hook.events):
            yield Target(f"{WEBHOOK}{name}", name)


def _fits(kind: str, beginnings: Iterable[str]) -> bool:
    return any(kind == one or kind.startswith(one if one.endswith(".") else f"{one}.") for one in beginnings)
