"""Options that every command takes, before or after its name."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

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
        from nephos.config import home

        return self.home or home.default_root()

    @property
    def station(self) -> str:
        """URL of the station meant: `--server`, else `NEPHOS_SERVER`, else empty for the one of the home."""
        return self.server or os.environ.get("NEPHOS_SERVER", "")


current = Options()


def reset() -> None:
    """Forget the last command line (several run in one process in tests and in the console)."""
    for name, value in zip(Options.__slots__, (None, "", False, False, False, False), strict=True):
        setattr(current, name, value)


def here() -> Path:
    """The home folder, for commands that work on this machine alone. Raises Invalid if another station was named."""
    if current.server:
        raise errors.Invalid(
            "This command works on a home of this machine, not over --server.", hint="Give it there, or name a --home."
        )
    return current.root


def keep(parameter: typer.CallbackParam, value: object) -> object:
    """Note a value that was given; the last one counts."""
    if value:
        name = str(parameter.name)
        setattr(current, name, _folder(str(value)) if name == "home" else value)
    return value


def show_help(context: typer.Context, value: bool) -> None:  # noqa: FBT001 - the signature is Typer's
    """Print what a command is for, and end."""
    if value and not context.resilient_parsing:
        from nephos.cli import output

        output.raw(context.get_help())
        raise typer.Exit


def _folder(text: str) -> Path:
    if not text.isprintable() or len(text) > 4000:
        raise errors.Invalid("That is no name of a home folder.", hint="For example --home /srv/nephos.")
    return Path(text)


Home = Annotated[
    str | None, typer.Option(help="Home folder; else NEPHOS_HOME, else ~/nephos.", callback=keep, expose_value=False)
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


Help = Annotated[
    bool, typer.Option("--help", "-h", help="Show this and end.", callback=show_help, expose_value=False, is_eager=True)
]


def everywhere(  # noqa: PLR0913 - the options of every command
    *,
    home: Home = None,
    server: Server = "",
    json: Json = False,
    plain: Plain = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    help_: Help = False,
) -> None:
    """Hold the options' declarations; `lazy` takes them from here for every command."""
