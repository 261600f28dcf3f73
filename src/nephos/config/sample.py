"""The settings file that `nephos init` writes: every setting with its default, commented out."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from nephos.config import schema

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
"""


def text() -> str:
    """The whole file."""
    defaults: dict[str, Any] = msgspec.to_builtins(schema.Settings())
    parts = [_HEAD]
    for section in schema.sections():
        lines = [f"# {key} = {_toml(value)}" for key, value in defaults[section].items() if value is not None]
        parts.append("\n".join([f"\n[{section}]", *lines]) + "\n")
    return "".join(parts) + _EXAMPLES


def _toml(value: object) -> str:
    # JSON's strings, numbers, booleans and flat lists are TOML's; an empty table is the one difference that occurs.
    return "{}" if value == {} else json.dumps(value, ensure_ascii=False)
