"""`nephos run ROLE`: one role in the foreground, for systemd and containers."""

from __future__ import annotations

from typing import Annotated

import typer

from nephos.cli import lazy, options
from nephos.config import load
from nephos.daemon import roles

app = lazy.single()


@app.command()
def run(
    role: Annotated[str, typer.Argument(help=", ".join(roles.ROLES) + ".", show_default=False)],
) -> int:
    """Run one role until it is told to stop."""
    return roles.run(role, load.load(options.here()))
