"""Operations of the API as commands use them: a command declares what it reaches and calls that same thing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nephos.cli import station
from nephos.client import http


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path, `{places}` as in the OpenAPI document. Calling it calls the station."""

    method: str
    path: str

    def __call__(self, *parts: str | int, body: object = None, query: http.Query | None = None) -> Any:
        """The decoded answer. Raises what the station said, or why it could not be asked."""
        return station.client().call(self.method, http.fill(self.path, *parts), body=body, query=query)


def given(**values: object) -> dict[str, object]:
    """Those values that were given on the command line."""
    return {key: value for key, value in values.items() if value is not None}


def pairs(words: list[str]) -> Mapping[str, str]:
    """`KEY=VALUE ...` as a table. Raises Invalid."""
    from nephos.lib import errors

    table: dict[str, str] = {}
    for word in words:
        key, mark, value = word.partition("=")
        if not mark or not key:
            raise errors.Invalid(f"{word[:60]!r} is not KEY=VALUE.")
        table[key] = value
    return table
