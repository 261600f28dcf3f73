"""Change the settings file and keep its comments; a change that would not load is refused and nothing is written."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

import tomlkit
from tomlkit import items

from nephos.config import errors, home, load, schema
from nephos.lib import files, locks
from nephos.lib.errors import AlreadyRunning

_PATIENCE = timedelta(seconds=10)
_HEADER = "# Settings of this Nephos station. `nephos config show` lists them all with their origin.\n"

Plain = str | int | float | bool | list[Any] | dict[str, Any]

_SKIPPED = "  # skipped"
_TABLE = re.compile(r"\[([A-Za-z0-9_.-]+)\]")
_COMMENT = re.compile(r"#\s*([a-z_]+) = .*# skipped")

# What higher floors know and this one does not (is there such a kind of connection?); raises ConfigError.
Check = Callable[[schema.Settings], None]


def set_value(place: home.Home, path: str, value: Plain, *, check: Check | None = None) -> schema.Settings:
    """Set `section.key` (or `table.name.key`) and return the settings then in force. Raises ConfigError."""
    return _change(place, path.split("."), value, check)


def set_table(
    place: home.Home,
    kind: str,
    name: str,
    values: Mapping[str, Plain],
    *,
    check: Check | None = None,
    skipped: Sequence[str] = (),
) -> schema.Settings:
    """Write a whole `[kind.name]` table; keys that were asked for and skipped stand in it as comments.

    Raises ConfigError.
    """
    table = tomlkit.item(dict(values))
    inner = table.get("options", table)
    for key in skipped:
        inner.add(tomlkit.comment(f'{key} = ""{_SKIPPED}'))
    return _change(place, [kind, name], table, check)


def skipped(place: home.Home) -> list[str]:
    """The keys that were asked for and skipped, with their tables, as they stand in the file."""
    try:
        lines = place.config_file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return []
    found, table = [], ""
    for line in lines:
        header, comment = _TABLE.fullmatch(line.strip()), _COMMENT.fullmatch(line.strip())
        if header:
            table = header[1]
        elif comment:
            found.append(f"{table}.{comment[1]}")
    return found


def remove(place: home.Home, path: str) -> schema.Settings:
    """Remove a key or a table. Raises ConfigError if it is absent or if another part of the file needs it."""
    with _alone(place):
        document = _document(place)
        *parents, last = path.split(".")
        table = _walk(document, parents, create=False)
        if table is None or last not in table:
            raise errors.ConfigError(f"There is no {path} in the settings.")
        del table[last]
        return _save(place, document, None)


def _change(place: home.Home, path: list[str], value: Plain | items.Item, check: Check | None) -> schema.Settings:
    with _alone(place):
        document = _document(place)
        *parents, last = path
        table = _walk(document, parents, create=True)
        if table is None or not parents:
            raise errors.ConfigError(
                f"{'.'.join(path)!r} is no setting.", hint="Write it as section.key, for example web.port."
            )
        table[last] = value
        return _save(place, document, check)


@contextlib.contextmanager
def _alone(place: home.Home) -> Iterator[None]:
    """One editor at a time, of all threads and processes: of two that read the same text one would lose its change."""
    try:
        place.config.mkdir(parents=True, exist_ok=True)
        lock = locks.FileLock(place.config / ".nephos.toml.lock").acquire(wait=_PATIENCE)
    except OSError as error:
        raise errors.HomeUnusable(f"{place.config} cannot be written: {error.strerror or error}.") from error
    except AlreadyRunning:
        raise errors.ConfigError("Somebody else is changing the settings.", hint="Try again.") from None
    with lock:
        yield


def _document(place: home.Home) -> tomlkit.TOMLDocument:
    try:
        return tomlkit.parse(place.config_file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return tomlkit.parse(_HEADER)
    except (OSError, UnicodeDecodeError) as error:
        raise errors.HomeUnusable(f"{place.config_file} cannot be read: {error}.") from error
    except tomlkit.exceptions.TOMLKitError as error:
        raise errors.ConfigError(f"{place.config_file} is not valid TOML: {error}.") from error


def _walk(document: tomlkit.TOMLDocument, path: list[str], *, create: bool) -> Any | None:
    table: Any = document
    for number, key in enumerate(path):
        if key not in table:
            if not create:
                return None
            table[key] = tomlkit.table(is_super_table=number < len(path) - 1)
        table = table[key]
        if not isinstance(table, items.Table | items.InlineTable | tomlkit.container.OutOfOrderTableProxy):
            return None
    return table


def _save(place: home.Home, document: tomlkit.TOMLDocument, check: Check | None) -> schema.Settings:
    text = tomlkit.dumps(document)
    settings = load.parse(text, source=str(place.config_file))
    load.check_places(settings, home.Home.at(place.root, settings.paths))
    if check is not None:
        check(settings)
    files.write_atomic(place.config_file, text, mode=0o600)
    return settings
