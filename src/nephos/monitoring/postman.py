"""Brings notices to their receivers: each in its turn, again with back-off while it does not work, never lost."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db.models import Q

from nephos.config import schema
from nephos.config.load import Loaded
from nephos.lib import backoff, clock, errors
from nephos.monitoring import errors as monitoring_errors
from nephos.monitoring import rules, services
from nephos.monitoring.channels import registry
from nephos.monitoring.channels.base import Message
from nephos.monitoring.models import Notice

logger = logging.getLogger(__name__)

_BACKOFF = backoff.Backoff(first=timedelta(seconds=5), most=timedelta(minutes=15))
_AT_ONCE = 20
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
        for notice in due:
            # Behind a server that takes nothing now the others keep their turn.
            if notice.channel not in closed and not self._tell(notice, loaded.settings):
                closed.add(notice.channel)
        return len(due) == _AT_ONCE and not closed

    def _tell(self, notice: Notice, settings: schema.Settings) -> bool:
        """Whether the channel works: also if this one message was refused."""
        try:
            registry.find(notice.channel, settings).tell(message(notice))
        except (monitoring_errors.Refused, monitoring_errors.NoWebhook) as error:
            logger.warning("A notice was refused", extra={"notice": notice.pk, "reason": error.message})
            _update(notice, refused_at=clock.now(), reason=error.message)
            return True
        except monitoring_errors.NotYet as error:
            _update(notice, due_at=_due(notice), reason=error.message)
            return True
        except errors.NephosError as error:
            _close_for_now(notice, error)
            return False
        _update(notice, told_at=clock.now(), reason="")
        services.clear(_key(notice.channel))
        return True


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


def _close_for_now(notice: Notice, error: errors.NephosError) -> None:
    """All that goes this way waits: a server that is down is asked with one letter at a time."""
    due_at = _due(notice)
    Notice.objects.filter(channel=notice.channel, told_at=None, refused_at=None, due_at__lt=due_at).update(
        due_at=due_at
    )
    _update(notice, reason=error.message)
    if notice.tries + 1 >= _FAILING_AFTER:
        services.report(
            services.Finding(
                key=_key(notice.channel),
                kind="notice.failing",
                subject=f"channel:{notice.channel}",
                sentence=f"Nobody can be told by {notice.channel}.",
                reason=error.message,
                retry="Again and again with growing pauses, at most a quarter of an hour; nothing is lost.",
                hint=error.hint or "`nephos mail test` tries it at once.",
            )
        )


def _key(channel: str) -> str:
    return f"notice.failing:{channel}"


def _update(notice: Notice, **changes: object) -> None:
    tries = notice.tries + 1
    Notice.objects.filter(pk=notice.pk).update(tries=tries, **changes)
