"""Brings notices to their receivers: each in its turn, again with back-off while it does not work, never lost."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from django.db.models import F, Q

from nephos.config import schema, upkeep
from nephos.config.load import Loaded
from nephos.lib import backoff, clock, errors
from nephos.monitoring import errors as monitoring_errors
from nephos.monitoring import letters, rules, services
from nephos.monitoring.channels import registry
from nephos.monitoring.channels.base import Message
from nephos.monitoring.models import Notice

logger = logging.getLogger(__name__)

_BACKOFF = backoff.Backoff(first=timedelta(seconds=5), most=timedelta(minutes=15))
_AT_ONCE = 100
_FAILING_AFTER = 3  # tries: one refused connection while a server restarts is no problem


class Postman:
    """Brings what goes over some channels. Mail and webhooks have one each, so that neither waits for the other."""

    def __init__(self, channels: Q) -> None:
        self._channels = channels

    def round(self, loaded: Loaded) -> bool:
        """Tell what is due; true if there is more."""
        due = list(
            Notice.objects.filter(self._channels, told_at=None, refused_at=None, due_at__lte=clock.now())[:_AT_ONCE]
        )
        closed: set[str] = set()
        told = 0
        for batch in _batches(due, loaded.settings.mail):
            # Behind a server that takes nothing now the others keep their turn.
            if batch[0].channel not in closed and not _tell(batch, loaded.settings):
                closed.add(batch[0].channel)
            told += len(batch)
        return told == _AT_ONCE and not closed


def _batches(due: Sequence[Notice], mail: upkeep.Mail) -> list[list[Notice]]:
    """Each alone; but of letters to one address only some, or a torn cable would fill a box: the rest goes together."""
    batches = [[one] for one in due if one.channel != rules.MAIL]
    by_receiver: dict[str, list[Notice]] = {}
    for one in due:
        if one.channel == rules.MAIL:
            by_receiver.setdefault(one.receiver, []).append(one)
    window = timedelta(seconds=mail.gather_seconds)
    for receiver, waiting in by_receiver.items():
        lately = Notice.objects.filter(channel=rules.MAIL, receiver=receiver, told_at__gt=clock.now() - window)
        left = max(0, mail.alone - lately.values("told_at").distinct().count())
        batches += [[one] for one in waiting[:left]]
        rest = waiting[left:]
        if rest and clock.now() - rest[0].made_at >= window:
            batches.append(rest)
    return batches


def _tell(batch: list[Notice], settings: schema.Settings) -> bool:
    """Whether the channel works: also if this one message was refused."""
    first = batch[0]
    try:
        registry.find(first.channel, settings).tell(_together(batch, settings))
    except (monitoring_errors.Refused, monitoring_errors.NoWebhook) as error:
        logger.warning("A notice was refused", extra={"notice": first.pk, "reason": error.message})
        _update(batch, refused_at=clock.now(), reason=error.message)
        return True
    except monitoring_errors.NotYet as error:
        _update(batch, due_at=_due(first), reason=error.message)
        return True
    except errors.NephosError as error:
        _close_for_now(batch, error)
        return False
    _update(batch, told_at=clock.now(), reason="")
    services.clear(_key(first.channel))
    return True


def _together(batch: Sequence[Notice], settings: schema.Settings) -> Message:
    """The one message of a batch."""
    if len(batch) == 1:
        return message(batch[0])
    gathered = letters.gather([letters.Letter(one.title, one.body) for one in batch], station=settings.station.name)
    return replace(
        message(batch[0]), uid=f"{batch[0].uid}:and:{batch[-1].event}", title=gathered.title, body=gathered.body
    )


MAIL = Q(channel=rules.MAIL)
WEBHOOKS = Q(channel__startswith=rules.WEBHOOK)


def message(notice: Notice) -> Message:
    """The notice as channels take it."""
    return Message(
        uid=notice.uid,
        receiver=notice.receiver,
        title=notice.title,
        body=notice.body,
        payload=notice.payload,
        made_at=notice.made_at,
    )


def _due(notice: Notice) -> datetime:
    return clock.now() + _BACKOFF.delay(notice.tries)


def _close_for_now(batch: Sequence[Notice], error: errors.NephosError) -> None:
    """All that goes this way waits: a server that is down is asked with one letter at a time."""
    first = batch[0]
    due_at = _due(first)
    waiting = Notice.objects.filter(channel=first.channel, told_at=None, refused_at=None)
    waiting.filter(due_at__lt=due_at).update(due_at=due_at)
    _update(batch, reason=error.message)
    if first.tries + 1 >= _FAILING_AFTER:
        services.report(
            services.Finding(
                key=_key(first.channel),
                kind="notice.failing",
                subject=f"channel:{first.channel}",
                sentence=f"Nobody can be told by {first.channel}.",
                reason=error.message,
                retry="Again and again with growing pauses, at most a quarter of an hour; nothing is lost.",
                hint=error.hint or "`nephos mail test` tries it at once.",
            )
        )


def _key(channel: str) -> str:
    return f"notice.failing:{channel}"


def _update(batch: Sequence[Notice], **changes: object) -> None:
    Notice.objects.filter(pk__in=[one.pk for one in batch]).update(tries=F("tries") + 1, **changes)
