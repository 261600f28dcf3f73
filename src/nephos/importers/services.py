"""Carry out what a file says: each entry whole or not at all, and a second time without any change."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from django.db import transaction

from nephos.config import edit
from nephos.config.load import Loaded
from nephos.importers import entries, findings, outline, settings, skynet, taken
from nephos.importers import errors as import_errors
from nephos.importers.findings import Finding, Outcome
from nephos.lib import errors
from nephos.library import errors as library_errors
from nephos.library import services as library
from nephos.library.models import Channel, Share
from nephos.recording import fields, rules, zones
from nephos.recording import services as recording
from nephos.recording.models import Schedule
from nephos.recording.sources import address

DATA, SETTINGS, SKYNET = "data", "maintenance", "skynet"


def take(text: str, *, loaded: Loaded, dry_run: bool = False, actor: str = "", deletions: str = "") -> findings.Report:
    """Import a file's text; what kind it is shows from its content. Raises NotReadable or NotKnown.

    `deletions` is `keep` or `mirror`, for skynet's `complete_sync`, which never meant what it said.
    """
    if skynet.looks_like(text):
        lines = taken.take(text, loaded=loaded, deletions=deletions, dry_run=dry_run)
        return findings.report(SKYNET, lines, dry_run=dry_run)
    top = outline.read(text)
    if entries.looks_like(top):
        lines = _take_entries(entries.read(top), loaded=loaded, dry_run=dry_run, actor=actor)
        return findings.report(DATA, lines, dry_run=dry_run)
    if settings.looks_like(top):
        lines = _take_settings(settings.read(top), loaded=loaded, dry_run=dry_run)
        return findings.report(SETTINGS, lines, dry_run=dry_run)
    raise import_errors.NotKnown(
        hint="Known are add_data, add_jobs and maintenance of the old Nephos, and the config.ini of skynet."
    )


# --- channels, shares, jobs ------------------------------------------------------------------------------------------


def _take_entries(found: Iterable[entries.Entry], *, loaded: Loaded, dry_run: bool, actor: str) -> list[Finding]:
    lines: list[Finding] = []
    with transaction.atomic():
        for entry in found:
            lines += _take_entry(entry, loaded=loaded, actor=actor)
        if dry_run:
            transaction.set_rollback(True)
    return lines


def _take_entry(entry: entries.Entry, *, loaded: Loaded, actor: str) -> list[Finding]:
    if isinstance(entry, entries.Refused):
        return [Finding(entry.line, Outcome.REFUSED, entry.kind, entry.name, entry.reason)]
    kind, name = _named(entry)
    try:
        with transaction.atomic():
            return _carry_out(entry, kind=kind, name=name, loaded=loaded, actor=actor)
    except errors.NephosError as error:
        text = f"{error.message} {error.hint}".strip()
        return [Finding(entry.line, Outcome.REFUSED, kind, name, text)]


def _carry_out(
    entry: entries.Channel | entries.Share | entries.Job, *, kind: str, name: str, loaded: Loaded, actor: str
) -> list[Finding]:
    match entry:
        case entries.Channel():
            outcome, text = _channel(entry, actor)
            notes = [Finding(line, Outcome.NOTE, kind, name, note) for line, note in entry.notes]
        case entries.Share():
            outcome, text = _share(entry, actor)
            notes = []
        case entries.Job():
            outcome, text = _job(entry, actor, zone=zones.of_station(loaded))
            notes = []
    return [Finding(entry.line, outcome, kind, name, text), *notes]


def _named(entry: entries.Channel | entries.Share | entries.Job) -> tuple[str, str]:
    match entry:
        case entries.Channel():
            return "channel", entry.name
        case entries.Share():
            return "share", entry.email
        case entries.Job():
            return "job", entry.name


def _channel(entry: entries.Channel, actor: str) -> tuple[Outcome, str]:
    url = address.parse(entry.address).url
    wanted = {"address": url, "country": entry.country, "language": entry.language, "zone": entry.zone}
    row = Channel.objects.filter(name__iexact=entry.name).first()
    if row is None:
        library.add_channel(name=entry.name, actor=actor, **wanted)
        return Outcome.TAKEN, url
    # What the file leaves open stays as somebody may have set it since.
    changes = {key: value for key, value in wanted.items() if value and getattr(row, key) != value}
    if not changes:
        return Outcome.UNCHANGED, ""
    before = ", ".join(f"{key} was {getattr(row, key) or 'empty'}" for key in changes)
    library.change_channel(channel=row, actor=actor, **changes)
    return Outcome.CHANGED, before


def _share(entry: entries.Share, actor: str) -> tuple[Outcome, str]:
    row = Share.objects.filter(email__iexact=entry.email).first()
    if row is None:
        library.add_share(email=entry.email, tags=entry.tags, actor=actor)
        return Outcome.TAKEN, ", ".join(entry.tags)
    if row.tags == entry.tags:
        return Outcome.UNCHANGED, ""
    before = f"tags were {', '.join(row.tags) or 'empty'}"
    place = {"country": row.country, "language": row.language, "zone": row.zone}
    channel = row.channel
    library.remove_share(share=row, actor=actor)
    library.add_share(email=entry.email, channel=channel, tags=entry.tags, actor=actor, **place)
    return Outcome.CHANGED, before


def _job(entry: entries.Job, actor: str, *, zone: str) -> tuple[Outcome, str]:
    channel = _channel_of(entry.channel)
    given: fields.ScheduleFields = {
        "start": entry.start,
        "duration": entry.minutes * 60,
        "weekdays": entry.weekdays,
        # The old program's clock was the machine's, whatever zone the channel named.
        "zone": zone,
    }
    row = Schedule.objects.filter(channel=channel, name__iexact=entry.name).first()
    if row is None:
        made = recording.add_schedule(name=entry.name, channel=channel, actor=actor, **given)
        return Outcome.TAKEN, _words(made)
    columns = fields.columns(given)
    if all(getattr(row, column) == value for column, value in columns.items()):
        return Outcome.UNCHANGED, ""
    before = _words(row)
    recording.change_schedule(schedule=row, actor=actor, **given)
    return Outcome.CHANGED, f"it was {before}"


def _channel_of(name: str) -> Channel:
    """By its whole name only: a start of a name is for people who see what they get. Raises UnknownChannel."""
    row = Channel.objects.filter(name__iexact=name).first()
    # The old program wrote a channel's name with underscores where it held blanks.
    row = row or Channel.objects.filter(name__iexact=name.replace("_", " ")).first()
    if row is None:
        raise library_errors.UnknownChannel(
            f"There is no channel {name[:80]!r}.", hint="Import the file with the channels first."
        )
    return row


def _words(row: Schedule) -> str:
    days = rules.EVERY_DAY & row.weekdays
    names = [day for number, day in enumerate(("mon", "tue", "wed", "thu", "fri", "sat", "sun")) if days >> number & 1]
    return f"{','.join(names)} at {row.start_time:%H:%M} {row.zone}, {row.duration_seconds // 60} min".replace(
        "  ", " "
    )


# --- settings --------------------------------------------------------------------------------------------------------


def _take_settings(
    found: Iterable[settings.Setting | settings.Dropped | entries.Refused], *, loaded: Loaded, dry_run: bool
) -> list[Finding]:
    lines: list[Finding] = []
    now: dict[str, Any] = msgspec.to_builtins(loaded.settings)
    for one in found:
        match one:
            case entries.Refused():
                lines.append(Finding(one.line, Outcome.REFUSED, one.kind, one.name, one.reason))
            case settings.Dropped():
                lines.append(Finding(one.line, Outcome.NOTE, "setting", one.old, f"Left out: {one.reason}"))
            case settings.Setting():
                lines.append(_setting(one, now, loaded=loaded, dry_run=dry_run))
    return lines


def _setting(one: settings.Setting, now: dict[str, Any], *, loaded: Loaded, dry_run: bool) -> Finding:
    before: Any = now
    for word in one.key.split("."):
        before = before.get(word, {})
    if before == one.value:
        return Finding(one.line, Outcome.UNCHANGED, "setting", one.old, f"{one.key} is {_shown(before)}")
    try:
        if not dry_run:
            edit.set_value(loaded.home, one.key, one.value)
    except errors.NephosError as error:
        return Finding(one.line, Outcome.REFUSED, "setting", one.old, error.message)
    text = f"{one.key} is {_shown(one.value)}, was {_shown(before)}"
    return Finding(one.line, Outcome.CHANGED, "setting", one.old, text)


def _shown(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
