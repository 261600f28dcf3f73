"""The settings file that `nephos init` and the first start write: every setting with its default, commented out."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from nephos.config import schema
from nephos.config.home import Home
from nephos.lib import files

_HEAD = """\
# Settings of this Nephos station. Every line that is commented out shows the default.
# A saved change is checked and taken up without a restart; `nephos config check` reads this file.
"""

_EXAMPLES = """
# Where results go: a connection, a destination at it, and a watch that keeps it delivered.
# [connection.store]
# kind = "s3"
# options = { endpoint = "https://s3.example.org", access_key = "env:KEY", secret_key = "file:/etc/nephos/s3.secret" }
#
# [destination.archive]
# connection = "store"
# base = "bucket/tv"
#
# [watch.recordings]
# sets = true
# destinations = ["archive"]
#
# [webhook.chat]
# url = "https://chat.example.org/hooks/abc"
"""


def write_if_none(home: Home) -> bool:
    """Give a home its settings file, if it has none; whether it is new. Raises OSError."""
    if home.config_file.exists():
        return False
    files.write_atomic(home.config_file, text(), mode=0o600)
    return True


def text() -> str:
    """The whole file."""
    defaults: dict[str, Any] = msgspec.to_builtins(schema.Settings())
    parts = [_HEAD]
    for section, kind in schema.sections().items():
        parts += _tables(section, kind, defaults[section])
    return "".join(parts) + _EXAMPLES


def _tables(name: str, kind: type[msgspec.Struct], defaults: dict[str, Any]) -> list[str]:
    """A table and those inside it."""
    inner = {f.name: f.type for f in msgspec.structs.fields(kind) if isinstance(f.type, type)}
    inner = {key: inside for key, inside in inner.items() if issubclass(inside, msgspec.Struct)}
    lines = [f"# {key} = {_toml(value)}" for key, value in defaults.items() if value is not None and key not in inner]
    made = ["\n".join([f"\n[{name}]", *lines]) + "\n"] if lines else []
    for key, inside in inner.items():
        made += _tables(f"{name}.{key}", inside, defaults[key])
    return made


def _toml(value: object) -> str:
    # JSON's strings, numbers, booleans and flat lists are TOML's; an empty table is the one difference that occurs.
    return "{}" if value == {} else json.dumps(value, ensure_ascii=False)
