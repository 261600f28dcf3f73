"""`nephos start`: the whole station, in front or in the background."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from nephos.cli import lazy, options, output
from nephos.config import load
from nephos.daemon import supervisor
from nephos.lib import ports
from nephos.sync import mappings

app = lazy.single()


@app.command()
def start(
    *,
    only: Annotated[str, typer.Option(help="Only these roles, with commas between them.")] = "",
    detach: Annotated[bool, typer.Option("--detach", help="Go to the background once it is up.")] = False,
) -> int:
    """Start the station; the home folder is made if there is none."""
    wanted = [part.strip() for part in only.split(",") if part.strip()]
    loaded = load.load(options.here())
    mappings.check(loaded.settings)  # what the sync engine would refuse later, is refused now
    return supervisor.start(loaded, only=wanted, detach=detach, prompt=not detach and _prompt_fits())


def _prompt_fits() -> bool:
    """Whether a person sits at a terminal that can hold a prompt below passing log lines."""
    if options.current.quiet or not sys.stdin.isatty() or not ports.in_foreground(sys.stdin.fileno()):
        return False
    return output.on_terminal() and output.on_terminal(sys.stderr)
