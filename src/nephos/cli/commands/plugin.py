"""`nephos plugin`: people's own rules, processes and connection classes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nephos.cli import lazy, output
from nephos.cli.operations import Operation

LIST = Operation("GET", "/plugins")
TEST = Operation("POST", "/plugins/test")

app = lazy.noun("Rules, processes and connection classes of your own, in config/plugins.")


@app.command("list")
def list_() -> None:
    """List what there is."""
    fields: list[output.Column] = [
        ("rules", "rules"),
        ("processes", "processes"),
        ("connections", "connections"),
        ("refused", lambda row: "; ".join(f"{name}: {why}" for name, why in row["refused"].items())),
    ]
    output.one(LIST(), fields)


@app.command("test")
def try_out(file: Annotated[Path, typer.Argument(help="A file on the station's machine.", show_default=False)]) -> None:
    """Show what each rule says of a file."""
    columns: list[output.Column] = [
        ("WATCH", "watch"),
        ("RULE", "rule"),
        ("TAKES IT", lambda row: "cannot say" if row["takes"] is None else "yes" if row["takes"] else "no"),
        ("BECAUSE", "because"),
    ]
    output.rows(TEST(body={"path": str(file.expanduser().absolute())}), columns, empty="No rule is asked.")
