"""The old `maintenance.yaml`, read into settings of ours; pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from nephos.config import schema
from nephos.importers.entries import Refused
from nephos.importers.outline import Node
from nephos.lib import errors

Value = bool | int | float | str


@dataclass(frozen=True, slots=True)
class Setting:
    """A value for a key of our settings file; `old` is what it was called."""

    line: int
    old: str
    key: str
    value: Value


@dataclass(frozen=True, slots=True)
class Dropped:
    """An old setting that means nothing here, and why."""

    line: int
    old: str
    reason: str


def _switch(text: str) -> bool:
    lowered = text.lower()
    if lowered not in ("true", "yes", "on", "false", "no", "off"):
        raise errors.Invalid(f"{text[:20]!r} is neither true nor false.")
    return lowered in ("true", "yes", "on")


def _number(text: str, *, most: float) -> float:
    try:
        number = float(text)
    except ValueError:
        raise errors.Invalid(f"{text[:20]!r} is no number.") from None
    if not 0 <= number <= most:
        raise errors.Invalid(f"{text[:20]!r} is not between 0 and {most:g}.")
    return number


def _minutes(text: str) -> float:
    """Seconds."""
    return _number(text, most=525_600) * 60


def _gigabytes(text: str) -> int:
    """Bytes."""
    return int(_number(text, most=1_000_000) * 1024**3)


def _percent(text: str) -> float:
    return _number(text, most=100)


def _time(text: str) -> str:
    hour, colon, minute = text.partition(":")
    digits = hour.isascii() and minute.isascii() and hour.isdigit() and minute.isdigit()
    if not (colon and digits and int(hour[:3]) < 24 and int(minute[:3]) < 60):
        raise errors.Invalid(f"{text[:20]!r} is no time of day like 23:59.")
    return f"{int(hour):02}:{int(minute):02}"


# Where each old setting went.
_KEYS: dict[tuple[str, str], tuple[str, Callable[[str], Value]]] = {
    ("disk_space_check", "enabled"): ("maintenance.disk.enabled", _switch),
    ("disk_space_check", "interval"): ("maintenance.disk.interval_seconds", _minutes),
    ("disk_space_check", "min_space"): ("maintenance.disk.min_bytes", _gigabytes),
    ("disk_space_check", "min_percent"): ("maintenance.disk.min_percent", _percent),
    ("channel_online_check", "enabled"): ("maintenance.channels.enabled", _switch),
    ("channel_online_check", "interval"): ("maintenance.channels.interval_seconds", _minutes),
    ("update_data", "enabled"): ("maintenance.update.enabled", _switch),
    ("update_data", "interval"): ("maintenance.update.interval_seconds", _minutes),
    ("daily_report", "enabled"): ("maintenance.digest.enabled", _switch),
    ("daily_report", "time"): ("maintenance.digest.time", _time),
}
_CHECKS = {check for check, _ in _KEYS}
_MEANINGLESS = {
    ("channel_online_check", "path"): "A check listens for a moment and writes no file.",
    ("update_data", "add_data"): "An address from which a station takes orders is set by its owner alone.",
    ("update_data", "add_jobs"): "An address from which a station takes orders is set by its owner alone.",
    ("uploader_auth_check", ""): "`nephos connection test` tries a connection, and each delivery is proved.",
    ("file_upload_check", ""): "What is not delivered is seen on the page and in `nephos transfer list`.",
}


def looks_like(top: Node) -> bool:
    """Whether a file is one of these."""
    checks = _checks(top)
    known = _CHECKS | {check for check, _ in _MEANINGLESS}
    return bool(known & set(checks))


def read(top: Node) -> list[Setting | Dropped | Refused]:
    """Each setting of the file, in its order."""
    found: list[Setting | Dropped | Refused] = []
    for check, node in _checks(top).items():
        if (check, "") in _MEANINGLESS:
            found.append(Dropped(node.line, check, _MEANINGLESS[check, ""]))
        elif check not in _CHECKS or node.kind != "table":
            found.append(Refused(node.line, "setting", check, "That check is not known."))
        else:
            found += [_one(check, name, value) for name, value in node.table.items()]
    return found


def _checks(top: Node) -> dict[str, Node]:
    jobs = top.table.get("jobs")
    return jobs.table if jobs is not None and jobs.table else top.table


def _one(check: str, name: str, node: Node) -> Setting | Dropped | Refused:
    old = f"{check}.{name}"
    if (check, name) in _MEANINGLESS:
        return Dropped(node.line, old, _MEANINGLESS[check, name])
    if name == "type":
        return Dropped(node.line, old, "The name of the check says it already.")
    try:
        key, convert = _known(check, name)
        if node.kind != "text" or not node.text:
            raise errors.Invalid("It has no value.")
        return Setting(node.line, old, key, convert(node.text))
    except errors.Invalid as error:
        return Refused(node.line, "setting", old, error.message)


def _known(check: str, name: str) -> tuple[str, Callable[[str], Value]]:
    if (check, name) not in _KEYS:
        raise errors.Invalid("That setting is not known.")
    key, convert = _KEYS[check, name]
    if not exists(key):
        raise errors.Invalid(f"This version has no setting {key}.")
    return key, convert


def exists(key: str) -> bool:
    """Whether our settings file knows a key."""
    *tables, name = key.split(".")
    kinds: dict[str, object] = dict(schema.sections())
    for table in tables:
        found = kinds.get(table)
        inside = isinstance(found, type) and issubclass(found, msgspec.Struct)
        kinds = {one.name: one.type for one in msgspec.structs.fields(found)} if inside else {}  # type: ignore[arg-type]
    return name in kinds
