"""What the settings ask of sync, checked and in the shape that the engine works with. Pure, but for paths."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from nephos.config import schema
from nephos.config.errors import ConfigError
from nephos.plugins.registry import Option
from nephos.sync import patterns, timetable
from nephos.sync.connections import registry
from nephos.sync.connections.base import Verify
from nephos.sync.planner import Mode
from nephos.sync.removals import Limits

_WHERE = ("endpoint", "host", "port")  # options that say where; the others only say how


@dataclass(frozen=True, slots=True)
class WatchRule:
    """One watch. Without a folder it delivers the sets that are ordered."""

    name: str
    folder: Path | None
    pipeline: str
    settle: timedelta
    rescan: timedelta
    ignore: tuple[str, ...]
    destinations: tuple[str, ...]
    mode: Mode
    limits: Limits
    undo: timedelta
    priority: int
    rules: tuple[tuple[str, tuple[tuple[str, Option], ...]], ...]
    processes: tuple[str, ...]
    grow: bool = False

    @property
    def delivers_paths(self) -> bool:
        """Whether what lies in the folder is delivered as it is, not taken in as file sets."""
        return self.folder is not None and not self.pipeline


@dataclass(frozen=True, slots=True)
class Target:
    """One destination with the watches that feed it."""

    name: str
    place: str  # same text, same files over there
    connection: schema.Connection
    base: str
    verify: Verify
    tuning: schema.Sync
    watches: frozenset[str]
    undo: tuple[tuple[str, timedelta], ...] = ()
    priorities: tuple[tuple[int, frozenset[str]], ...] = ()  # watches by their priority, highest first
    pace: timetable.Timetable = timetable.NO_LIMIT
    processes: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def processes_of(self, watch: str) -> tuple[str, ...]:
        """What is done to a copy of each file of a watch before it is sent."""
        return dict(self.processes).get(watch, ())

    def undo_of(self, watch: str) -> timedelta:
        """How long what was removed for a watch can be brought back."""
        return dict(self.undo).get(watch, timedelta(0))


def check(settings: schema.Settings) -> None:
    """All connections, destinations and watches. Raises ConfigError with a hint; resolves no secret."""
    for name, connection in settings.connection.items():
        registry.kind_of(name, connection)
    for destination in settings.destination.values():
        connection = settings.connection[destination.connection]
        kind = registry.kind_of(destination.connection, connection)
        kind.check(destination.connection, connection.options, destination.base)
        timetable.parse(destination.timetable)
    for name, watch in settings.watch.items():
        _check_watch(name, watch, settings)


def watches(settings: schema.Settings) -> dict[str, WatchRule]:
    """Watches that are switched on."""
    return {
        name: WatchRule(
            name=name,
            folder=Path(os.path.abspath(Path(watch.folder).expanduser())) if watch.folder else None,
            pipeline=watch.pipeline,
            settle=timedelta(
                seconds=settings.sync.settle_seconds if watch.settle_seconds is None else watch.settle_seconds
            ),
            rescan=timedelta(seconds=settings.sync.rescan_seconds),
            ignore=tuple(watch.ignore),
            destinations=tuple(dict.fromkeys(watch.destinations)),
            mode=Mode(watch.mode),
            limits=Limits(watch.most_deletions, watch.most_deletions_percent, timedelta(seconds=watch.grace_seconds)),
            undo=timedelta(days=watch.undo_days),
            priority=watch.priority,
            rules=tuple(_rule(name, rule) for rule in watch.rules),
            processes=tuple(watch.processes),
            grow=watch.grow,
        )
        for name, watch in settings.watch.items()
        if watch.enabled
    }


def targets(settings: schema.Settings, rules: Mapping[str, WatchRule]) -> dict[str, Target]:
    """Destinations that a watch feeds."""
    found: dict[str, Target] = {}
    for name, destination in settings.destination.items():
        feeding = frozenset(rule.name for rule in rules.values() if name in rule.destinations)
        if feeding:
            found[name] = Target(
                name=name,
                place=place_of(settings, name),
                connection=settings.connection[destination.connection],
                base=destination.base,
                verify=Verify(destination.verify),
                tuning=settings.sync,
                watches=feeding,
                priorities=_priorities([rules[name] for name in feeding]),
                pace=timetable.parse(destination.timetable, plain=destination.bytes_per_second),
                processes=tuple(sorted((name, rules[name].processes) for name in feeding)),
                undo=tuple(sorted((name, rules[name].undo) for name in feeding)),
            )
    return found


def _check_choice(name: str, watch: schema.Watch) -> None:
    """What it takes, and what is done to it."""
    patterns.Patterns(watch.ignore)
    _check_growth(name, watch)
    for rule in watch.rules:
        _rule(name, rule)
    for process in watch.processes:
        if not process.startswith("process_"):
            raise ConfigError(f"Watch {name} names {process!r}, which is no process.", hint='processes = ["process_x"]')


def _check_growth(name: str, watch: schema.Watch) -> None:
    """What has to see the whole file first leaves nothing to be sent while it grows."""
    waits = [key for key in ("rules", "processes", "pipeline") if watch.folder and getattr(watch, key)]
    if watch.sets and watch.processes:
        waits.append("processes")
    if watch.grow and waits:
        raise ConfigError(
            f"Watch {name} cannot send files while they grow and have {' and '.join(waits)}: those need whole files.",
            hint='Leave out grow, or say by name what is taken: ignore = ["*", "!*.ts"]',
        )


def _rule(watch: str, values: Mapping[str, Option]) -> tuple[str, tuple[tuple[str, Option], ...]]:
    """`{rule = "rule_size", most_bytes = 1000}` by its name and options. Raises ConfigError."""
    name = values.get("rule")
    if not isinstance(name, str) or not name.startswith("rule_"):
        raise ConfigError(
            f"A rule of watch {watch} has no name.", hint='rules = [{ rule = "rule_type", types = ["mp4"] }]'
        )
    return name, tuple((key, value) for key, value in values.items() if key != "rule")


def _priorities(rules: list[WatchRule]) -> tuple[tuple[int, frozenset[str]], ...]:
    levels = sorted({rule.priority for rule in rules}, reverse=True)
    return tuple((level, frozenset(rule.name for rule in rules if rule.priority == level)) for level in levels)


def place_of(settings: schema.Settings, destination: str) -> str:
    """Where a destination is, as a text to compare."""
    chosen = settings.destination[destination]
    connection = settings.connection[chosen.connection]
    where = {key: connection.options[key] for key in _WHERE if key in connection.options}
    return json.dumps([connection.kind, where, chosen.base], sort_keys=True)


def identity(rule: WatchRule, target: Target) -> str:
    """A mapping: change its folder, destination or base and it is a new one, with a new first scan."""
    return identity_at(rule, target.place)


def identity_at(rule: WatchRule, place: str) -> str:
    """The same by the place of the destination."""
    return json.dumps([str(rule.folder or ""), place])


def _check_watch(name: str, watch: schema.Watch, settings: schema.Settings) -> None:
    _check_choice(name, watch)
    if not watch.folder:
        return
    folder = Path(watch.folder).expanduser()
    if not folder.is_absolute():
        raise ConfigError(
            f"Watch {name} needs an absolute folder, not {watch.folder!r}.", hint='folder = "/media/inbox"'
        )
    for destination in watch.destinations:
        chosen = settings.destination[destination]
        if settings.connection[chosen.connection].kind != "file":
            continue
        place = Path(os.path.realpath(Path(chosen.base).expanduser()))  # a link may lead back
        if place.is_relative_to(os.path.realpath(folder)):
            raise ConfigError(
                f"Watch {name} would deliver into its own folder: {place}.", hint="Choose a base outside of it."
            )
