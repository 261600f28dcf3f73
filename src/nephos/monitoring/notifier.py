"""Reads the event log and writes down who is to be told: events become notices exactly once, whatever crashes."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction

from nephos.config import addresses
from nephos.config.load import Loaded
from nephos.events import log
from nephos.events.models import Cursor, Event
from nephos.lib import clock
from nephos.monitoring import letters, rules, services
from nephos.monitoring.models import Notice
from nephos.recording import zones

READER = "notifier"
_AT_ONCE = 200
_NEWS = timedelta(hours=1)


def read(loaded: Loaded) -> bool:
    """Deal with the next events; the notices and the place in the log are kept in one transaction."""
    _begin()
    entries = log.unread(READER, limit=_AT_ONCE)
    if not entries:
        return False
    with transaction.atomic():
        Notice.objects.bulk_create(
            [notice for entry in entries for notice in notices(entry, loaded)], ignore_conflicts=True
        )
        log.tick_off(READER, upto=entries[-1].id)
    return len(entries) == _AT_ONCE


def _begin() -> None:
    """A notifier that is new to an old log does not tell its history."""
    if Cursor.objects.filter(reader=READER).exists():
        return
    old = Event.objects.filter(at__lt=clock.now() - _NEWS).order_by("-id").values_list("id", flat=True).first()
    log.tick_off(READER, upto=old or 0)


def notices(entry: log.Entry, loaded: Loaded) -> list[Notice]:
    """What is to be told of one event."""
    facts = entry.data
    is_of_problem = entry.kind.startswith("problem.")
    problem = str(facts.get("kind", "")) if is_of_problem else ""
    about = str(facts.get("about", "")) if is_of_problem else ""
    receivers = rules.targets(entry.kind, problem=problem, about=about, settings=loaded.settings)
    if not receivers or (is_of_problem and services.is_muted(str(facts.get("key", "")), now=clock.now())):
        return []
    sender = letters.Sender(
        station=loaded.settings.station.name,
        zone=zones.of_station(loaded),
        page=f"{addresses.for_people(loaded.settings.web)}/problems",
    )
    letter = letters.write(letters.Happening(entry.kind, entry.at, entry.text, facts), sender)
    payload = {
        "station": loaded.settings.station.name,
        "event": entry.id,
        "kind": entry.kind,
        "level": entry.level,
        "subject": entry.subject,
        "at": clock.stamp(entry.at),
        "facts": facts,
    }
    return [
        Notice(
            uid=one.uid(entry.id),
            event=entry.id,
            channel=one.channel,
            receiver=one.receiver,
            title=letter.title,
            body=letter.body,
            payload=payload,
        )
        for one in receivers
    ]


def forget(loaded: Loaded) -> None:
    """Remove what was told long ago."""
    before = clock.now() - timedelta(days=loaded.settings.monitoring.keep_days)
    Notice.objects.filter(made_at__lt=before).exclude(told_at=None, refused_at=None).delete()
