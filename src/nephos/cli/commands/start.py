"""`nephos start`: the whole station, in front or in the background."""

from __future__ import annotations

from typing import Annotated

import typer

from nephos.cli import lazy, options
from nephos.config import load
from nephos.daemon import supervisor

app = lazy.single()


@app.command()
def start(
    *,
    only: Annotated[str, typer.Option(help="Only these roles, with commas between them.")] = "",
    detach: Annotated[bool, typer.Option("--detach", help="Go to the background once it is up.")] = False,
) -> int:
    """Start the station; the home folder is made if there is none."""
    wanted = [part.strip() for part in only.split(",") if part.strip()]
    return supervisor.start(load.load(options.here()), only=wanted, detach=detach)
