"""`nephos stop`."""

from __future__ import annotations

from typing import Annotated

import typer

from nephos.cli import lazy, options, station
from nephos.daemon import supervisor
from nephos.lib import errors

app = lazy.single()


@app.command()
def stop(
    *,
    now: Annotated[
        bool, typer.Option("--now", help="Even while a recording runs; it goes on at the next start.")
    ] = False,
    drain: Annotated[bool, typer.Option("--drain", help="Wait for running recordings to end.")] = False,
) -> int:
    """Stop the running station."""
    if now and drain:
        raise errors.Invalid("--now and --drain contradict each other.")
    return supervisor.stop(station.settings_or_defaults(options.here()), now=now, drain=drain)
