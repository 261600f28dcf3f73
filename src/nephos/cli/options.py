"""Options that every command takes, before or after its name."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from nephos.config import home
from nephos.lib import errors


@dataclass(slots=True)
class Options:
    """What was asked for on this command line."""

    home: Path | None = None
    server: str = ""
    json: bool = False
    plain: bool = False
    quiet: bool = False
    verbose: bool = False

    @property
    def root(self) -> Path:
        """The home folder meant: `--home`, else `NEPHOS_HOME`, else `~/nephos`."""
        return self.home or home.default_root()


current = Options()


def reset() -> None:
    """Forget the last command line (several run in one process in tests and in the console)."""
    for name, value in zip(Options.__slots__, (None, "", False, False, False, False), strict=True):
        setattr(current, name, value)
    current.server = os.environ.get("NEPHOS_SERVER", "")


def keep(parameter: typer.CallbackParam, value: object) -> object:
    """Note a value that was given; the last one counts."""
    if value:
        setattr(current, str(parameter.name), _checked(value))
    return value


def _checked(value: object) -> object:
    if isinstance(value, Path) and (not str(value).isprintable() or len(str(value)) > 4000):
        raise errors.Invalid("That is no name of a home folder.", hint="For example --home /srv/nephos.")
    return value


Home = Annotated[
    Path | None, typer.Option(help="Home folder; else NEPHOS_HOME, else ~/nephos.", callback=keep, expose_value=False)
]
Server = Annotated[
    str, typer.Option(help="URL of a station; the token is in NEPHOS_TOKEN.", callback=keep, expose_value=False)
]
Json = Annotated[bool, typer.Option("--json", help="Data as JSON on stdout.", callback=keep, expose_value=False)]
Plain = Annotated[bool, typer.Option("--plain", help="No colour, no bars.", callback=keep, expose_value=False)]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Data and errors only.", callback=keep, expose_value=False)]
Verbose = Annotated[
    bool, typer.Option("--verbose", "-v", help="Traces of unexpected errors.", callback=keep, expose_value=False)
]


def everywhere(
    *,
    home: Home = None,
    server: Server = "",
    json: Json = False,
    plain: Plain = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Hold the options' declarations; `lazy` takes them from here for every command."""
