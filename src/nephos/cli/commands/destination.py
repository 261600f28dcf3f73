"""`nephos destination`: a connection and the base path below it."""

from __future__ import annotations

from typing import Annotated

import typer

from nephos.cli import lazy, output
from nephos.cli.operations import Operation

LIST = Operation("GET", "/destinations")
ADD = Operation("POST", "/destinations")
REMOVE = Operation("DELETE", "/destinations/{name}")
PAUSE = Operation("POST", "/destinations/{name}/pause")
RESUME = Operation("POST", "/destinations/{name}/resume")

app = lazy.noun("Places at a connection that take files.")

Name = Annotated[str, typer.Argument(help="Name of the destination.", show_default=False)]


@app.command("list")
def list_() -> None:
    """List the destinations."""
    columns: list[output.Column] = [
        ("NAME", "name"),
        ("CONNECTION", "connection"),
        ("BASE", "base"),
        ("VERIFY", "verify"),
        ("USED BY", "watches"),
    ]
    output.rows(LIST(), columns, empty="There are no destinations yet; `nephos destination add` adds one.")


@app.command()
def add(
    name: Name,
    *,
    connection: Annotated[str, typer.Option(help="The connection it uses.", show_default=False)],
    base: Annotated[str, typer.Option(help="Path below it; s3: bucket/prefix; file: a folder.")] = "",
    verify: Annotated[str, typer.Option(help="How deliveries are proved: auto, read-back or none.")] = "auto",
) -> None:
    """Add a destination."""
    made = ADD(body={"name": name, "connection": connection, "base": base, "verify": verify})
    output.done(made, f"Destination {made['name']} is there.")


@app.command()
def remove(name: Name) -> None:
    """Remove a destination that no watch uses; what was delivered stays."""
    REMOVE(name)
    output.done({"removed": name}, f"Destination {name} is removed.")


@app.command()
def pause(name: Name) -> None:
    """Send nothing there for now."""
    output.done(PAUSE(name), f"Destination {name} pauses.")


@app.command()
def resume(name: Name) -> None:
    """Send there again."""
    output.done(RESUME(name), f"Destination {name} goes on.")
