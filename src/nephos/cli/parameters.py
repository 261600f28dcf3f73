"""The options that every command takes, before or after its name, as Typer wants them declared."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nephos.cli import options, output
from nephos.lib import errors


def keep(parameter: typer.CallbackParam, value: object) -> object:
    """Note a value that was given; the last one counts."""
    if value:
        name = str(parameter.name)
        setattr(options.current, name, _folder(str(value)) if name == "home" else value)
    return value


def show_help(context: typer.Context, value: bool) -> None:  # noqa: FBT001 - the signature is Typer's
    """Print what a command is for, and end."""
    if value and not context.resilient_parsing:
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
