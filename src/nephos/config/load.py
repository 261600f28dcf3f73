"""Defaults, then the file, then `NEPHOS_SECTION_KEY` in the environment; and where each value came from."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from nephos.config import errors, home, schema


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings in force, the home they describe, and the origin of each value that is no default."""

    settings: schema.Settings
    home: home.Home
    origins: Mapping[str, str]


def load(root: Path | None = None, *, environment: Mapping[str, str] | None = None) -> Loaded:
    """Read and check the settings of a home; a missing file means all defaults.

    Raises ConfigError that names the key, HomeUnusable if the file cannot be read.
    """
    environment = os.environ if environment is None else environment
    place = home.Home.at(root or home.default_root())
    raw, origins = _read(place.config_file)
    _overlay_environment(raw, origins, environment)
    settings = convert(raw, source=str(place.config_file))
    settled = home.Home.at(place.root, settings.paths)
    check_places(settings, settled)
    return Loaded(settings=settings, home=settled, origins=origins)


def parse(text: str, *, source: str = "nephos.toml") -> schema.Settings:
    """Check the text of a settings file. Raises ConfigError."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise errors.ConfigError(
            f"{source} is not valid TOML: {error}.", hint="`nephos config check` reads it again."
        ) from error
    return convert(raw, source=source)


def convert(raw: dict[str, Any], *, source: str) -> schema.Settings:
    """Typed settings from plain tables. Raises ConfigError."""
    try:
        settings = msgspec.convert(raw, schema.Settings)
    except msgspec.ValidationError as error:
        raise errors.ConfigError(
            f"{source}: {_explain(str(error))}", hint="`nephos config show` lists all settings."
        ) from error
    _check(settings, source)
    return settings


def _read(path: Path) -> tuple[dict[str, Any], dict[str, str]]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}, {}
    except (OSError, UnicodeDecodeError) as error:
        raise errors.HomeUnusable(
            f"{path} cannot be read: {getattr(error, 'strerror', None) or error}.",
            hint="Choose another home with --home or NEPHOS_HOME, or mend that file.",
        ) from error
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise errors.ConfigError(
            f"{path} is not valid TOML: {error}.", hint="`nephos config check` reads it again."
        ) from error
    return raw, {key: str(path) for key in _leaves(raw)}


def _leaves(table: Mapping[str, Any], prefix: str = "") -> list[str]:
    found: list[str] = []
    for key, value in table.items():
        name = f"{prefix}{key}"
        found += _leaves(value, f"{name}.") if isinstance(value, dict) else [name]
    return found


def _overlay_environment(raw: dict[str, Any], origins: dict[str, str], environment: Mapping[str, str]) -> None:
    for section, kind in schema.sections().items():
        for setting in msgspec.structs.fields(kind):
            variable = f"NEPHOS_{section}_{setting.name}".upper()
            if variable not in environment:
                continue
            try:
                value = msgspec.convert(environment[variable], setting.type, strict=False)
            except msgspec.ValidationError as error:
                raise errors.ConfigError(f"{variable} in the environment: {_explain(str(error))}") from error
            table = raw.setdefault(section, {})
            if isinstance(table, dict):
                table[setting.name] = value
            origins[f"{section}.{setting.name}"] = f"environment {variable}"


def _explain(message: str) -> str:
    text, _, path = message.partition(" - at `$")
    where = path.rstrip("`").strip(".")
    text = text.replace("Object contains unknown field", "unknown key").replace("`", "'")
    text = text.replace("Object missing required field", "missing key")
    return f"{text} in [{where}]." if where else f"{text}."


def check_places(settings: schema.Settings, place: home.Home) -> None:
    """No watch takes in our own state. Raises ConfigError.

    It would deliver keys; and SQLite loses its locks when the process that holds them reads the file and closes it.
    """
    for name, watch in settings.watch.items():
        ours = place.state_in(Path(watch.folder)) if watch.folder else None
        if ours is not None:
            raise errors.ConfigError(
                f"{place.config_file}: watch {name} would take in {ours}, where the station keeps its own state.",
                hint="Choose a folder that neither holds it nor lies in it.",
            )


def _check(settings: schema.Settings, source: str) -> None:
    if settings.station.zone:
        try:
            ZoneInfo(settings.station.zone)
        except (KeyError, ValueError, OSError):
            raise errors.ConfigError(
                f"{source}: {settings.station.zone!r} in [station] is no IANA time zone.",
                hint="For example Europe/Madrid.",
            ) from None
    for name, destination in settings.destination.items():
        if destination.connection not in settings.connection:
            raise errors.ConfigError(
                f"{source}: destination {name} names the connection {destination.connection!r}, which does not exist."
            )
    for name, watch in settings.watch.items():
        _check_watch(name, watch, settings, source)


def _check_watch(name: str, watch: schema.Watch, settings: schema.Settings, source: str) -> None:
    if bool(watch.folder) == watch.sets:
        raise errors.ConfigError(
            f"{source}: watch {name} needs exactly one of folder and sets.", hint='folder = "/path", or sets = true'
        )
    for destination in watch.destinations:
        if destination not in settings.destination:
            raise errors.ConfigError(
                f"{source}: watch {name} names the destination {destination!r}, which does not exist."
            )
