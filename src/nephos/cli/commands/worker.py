"""`nephos worker`: machines that do the work."""

from __future__ import annotations

from typing import Annotated

import typer

from nephos.cli import lazy, output, shown
from nephos.cli.operations import Operation

LIST = Operation("GET", "/workers")
ENABLE = Operation("POST", "/workers/{name}/enable")
DISABLE = Operation("POST", "/workers/{name}/disable")

app = lazy.noun("Machines that do the work.")

Name = Annotated[str, typer.Argument(help="Name of the worker.", show_default=False)]

COLUMNS: list[output.Column] = [
    ("NAME", "name"),
    ("HOST", "host"),
    ("SLOTS", "slots"),
    ("BUSY", "running"),
    ("STATE", "state"),
    ("ENABLED", "enabled"),
    ("SEEN", shown.moment("seen_at")),
]


@app.command("list")
def list_() -> None:
    """List the workers."""
    output.rows(LIST(), COLUMNS, empty="No worker was seen yet; the farm role brings one.")


@app.command()
def enable(name: Name) -> None:
    """Let a worker have work."""
    output.done(ENABLE(name), f"Worker {name} is enabled.")


@app.command()
def disable(name: Name) -> None:
    """Give a worker no more work; what it runs goes on."""
    output.done(DISABLE(name), f"Worker {name} is disabled.")
