"""Try at once whether people can be told: by the settings of now, past the queue."""

from __future__ import annotations

from dataclasses import dataclass

from nephos.config import schema
from nephos.lib import clock, errors, ids
from nephos.monitoring import errors as monitoring_errors
from nephos.monitoring import letters, rules
from nephos.monitoring.channels import registry
from nephos.monitoring.channels.base import Message


@dataclass(frozen=True, slots=True)
class Trial:
    """How it went with one receiver."""

    channel: str
    receiver: str
    ok: bool
    reason: str
    hint: str


def mail(settings: schema.Settings, *, receiver: str = "") -> list[Trial]:
    """A letter to one address, or to all of the settings. Raises NoMail, or Invalid if nobody is named."""
    if not settings.mail.host:
        raise monitoring_errors.NoMail(hint="nephos config set mail.host smtp.example.org")
    receivers = [receiver] if receiver else list(dict.fromkeys([*settings.mail.critical, *settings.mail.report]))
    if not receivers:
        raise errors.Invalid(
            "The settings name nobody to write to.", hint="nephos config set mail.critical me@example.org"
        )
    return [_try(rules.MAIL, one, settings) for one in receivers]


def webhook(settings: schema.Settings, name: str) -> list[Trial]:
    """A document to a webhook. Raises NoWebhook."""
    if name not in settings.webhook:
        known = ", ".join(settings.webhook)
        raise monitoring_errors.NoWebhook(
            f"The settings name no webhook {name[:60]!r}.", hint=f"There are: {known}." if known else ""
        )
    return [_try(f"{rules.WEBHOOK}{name}", name, settings)]


def _try(channel: str, receiver: str, settings: schema.Settings) -> Trial:
    station = settings.station.name
    message = Message(
        uid=f"trial:{ids.new()}",
        receiver=receiver,
        title=letters.line(f"[{station}] A trial"),
        body=f"This is a trial of the station {station}.\nProblems are told the same way.\n",
        payload={"station": station, "kind": "trial", "at": clock.stamp(clock.now())},
    )
    try:
        registry.find(channel, settings).tell(message)
    except errors.NephosError as error:
        return Trial(channel, receiver, ok=False, reason=error.message, hint=error.hint)
    return Trial(channel, receiver, ok=True, reason="", hint="")
