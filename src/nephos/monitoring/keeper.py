"""The keeper's loops of this package. Each has a thread of its own: a mail server that hangs delays nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from nephos.config import upkeep
from nephos.config.live import Live
from nephos.config.load import Loaded
from nephos.config.schema import Settings
from nephos.core import loops as core_loops
from nephos.monitoring import critical, notifier, postman
from nephos.monitoring.paced import Pace, Paced

_QUIET = timedelta(seconds=5)  # letters that wait for their next try are that late at most


@dataclass(frozen=True, slots=True)
class _Always:
    """Goes on whatever is switched off: the log is read to its end, so that nothing old is told later."""

    interval_seconds: float
    enabled: bool = True


def _of_log(settings: Settings) -> Pace:
    return _Always(settings.monitoring.interval_seconds)


def _of_mail(settings: Settings) -> upkeep.Mail:
    return settings.mail


def _of_webhooks(settings: Settings) -> upkeep.Monitoring:
    return settings.monitoring


def _hourly(_settings: Settings) -> Pace:
    return _Always(3600)


def _every_minute(settings: Settings) -> Pace:
    return _Always(60, enabled=settings.maintenance.critical.enabled)


def _of_critical(settings: Settings) -> upkeep.CriticalCheck:
    return settings.maintenance.critical


def loops(loaded: Loaded) -> list[core_loops.Loop]:
    """All loops of monitoring."""
    live = Live(loaded)
    return [
        Paced("critical", live, pace=_of_critical, check=critical.collect),
        Paced("quiet", live, pace=_every_minute, check=critical.end),
        Paced("notifier", live, pace=_of_log, check=notifier.read).patient(_QUIET),
        Paced("mail", live, pace=_of_mail, check=postman.Postman(postman.MAIL).round).patient(_QUIET),
        Paced("webhooks", live, pace=_of_webhooks, check=postman.Postman(postman.WEBHOOKS).round).patient(_QUIET),
        Paced("notices", live, pace=_hourly, check=notifier.forget),
    ]
