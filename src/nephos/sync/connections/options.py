"""Options of a connection from the settings file to a typed dataclass, with errors that name the option."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TypeVar

import msgspec

from nephos.config.errors import ConfigError

Options = TypeVar("Options")
Plain = str | int | float | bool


def decode(kind: type[Options], values: Mapping[str, Plain], *, name: str) -> Options:
    """Typed options of the connection called `name`. Raises ConfigError."""
    if kind is object:  # the kind takes what somebody's class takes
        return kind()
    known = [option.name for option in dataclasses.fields(kind)]  # type: ignore[arg-type] # each kind gives a dataclass
    for key in values:
        if key not in known:
            raise ConfigError(
                f"Connection {name} has no option {key!r}.", hint=f"Its options are: {', '.join(known) or 'none'}."
            )
    try:
        return msgspec.convert(dict(values), kind)
    except msgspec.ValidationError as error:
        text = str(error).replace("Object missing required field", "missing option").replace("`", "'")
        raise ConfigError(f"Connection {name}: {text}.") from error
