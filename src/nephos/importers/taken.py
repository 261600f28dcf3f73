"""Carries out what the `config.ini` of skylark-skynet comes to: tables of the settings file, and files for secrets."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from nephos.config import edit
from nephos.config.home import Home
from nephos.config.load import Loaded
from nephos.importers import skynet
from nephos.importers.findings import Finding, Outcome
from nephos.lib import errors, files
from nephos.sync import mappings

SECRETS = "secrets"


def take(text: str, *, loaded: Loaded, deletions: str, dry_run: bool) -> list[Finding]:
    """What became of each part of the file. Raises NotReadable."""
    now: dict[str, Any] = msgspec.to_builtins(loaded.settings)
    lines: list[Finding] = []
    for one in skynet.tables(skynet.read(text), deletions=deletions):
        if isinstance(one, skynet.Said):
            outcome = Outcome.REFUSED if one.refused else Outcome.NOTE
            lines.append(Finding(one.line, outcome, "setting", one.name, one.text))
        else:
            lines.append(_table(one, now, loaded=loaded, dry_run=dry_run))
    return lines


def _table(one: skynet.Table, now: dict[str, Any], *, loaded: Loaded, dry_run: bool) -> Finding:
    values = _with_references(one, loaded.home)
    before: dict[str, Any] = now[one.kind].get(one.name, {})
    same = _says(before, values) and all(_keeps(loaded.home, one, option) for option in one.secrets)
    outcome = Outcome.UNCHANGED if same else Outcome.CHANGED if before else Outcome.TAKEN
    text = _shown(values)
    if same or dry_run:
        return Finding(one.line, outcome, one.kind, one.name, text)
    try:
        for option, secret in one.secrets.items():
            _put(_place(loaded.home, one, option), secret)
        # What was set here since, and what the old file does not know, stays.
        whole = _explicit(loaded.home, one) | values
        edit.set_table(loaded.home, one.kind, one.name, whole, check=mappings.check)
    except (errors.NephosError, OSError) as error:
        reason = f"{error.message} {error.hint}".strip() if isinstance(error, errors.NephosError) else str(error)
        return Finding(one.line, Outcome.REFUSED, one.kind, one.name, reason)
    return Finding(one.line, outcome, one.kind, one.name, text)


def _with_references(one: skynet.Table, home: Home) -> dict[str, Any]:
    values = dict(one.values)
    if one.secrets:
        references = {option: f"file:{_place(home, one, option)}" for option in one.secrets}
        options = values["options"]
        assert isinstance(options, dict)  # noqa: S101 - made by us
        values["options"] = {**options, **references}
    return values


def _explicit(home: Home, one: skynet.Table) -> dict[str, Any]:
    """What the settings file says of the table now."""
    try:
        found = tomllib.loads(home.config_file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return dict(found.get(one.kind, {}).get(one.name, {}))


def _says(before: Mapping[str, Any], values: Mapping[str, Any]) -> bool:
    return bool(before) and all(before.get(key) == value for key, value in values.items())


def _place(home: Home, one: skynet.Table, option: str) -> Path:
    return home.config / SECRETS / f"{one.name}-{option}"


def _keeps(home: Home, one: skynet.Table, option: str) -> bool:
    try:
        return _place(home, one, option).read_text(encoding="utf-8") == one.secrets[option]
    except (OSError, ValueError):
        return False


def _put(place: Path, secret: str) -> None:
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    files.write_atomic(place, secret, mode=0o600)


def _shown(values: Mapping[str, Any]) -> str:
    options = values.get("options", {})
    plain = {key: value for key, value in values.items() if key != "options"} | options
    words = [f"{key} {', '.join(value) if isinstance(value, list) else value}" for key, value in plain.items()]
    return re.sub(r"[\x00-\x1f]", "?", "; ".join(words))
