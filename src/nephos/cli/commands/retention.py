"""`nephos retention`: what may be freed here."""

from __future__ import annotations

from typing import Annotated

import typer

from nephos.cli import lazy, output, shown
from nephos.cli.operations import Operation

PLAN = Operation("GET", "/retention/plan")

app = lazy.noun("What may be freed on this machine once it is delivered and proven.")

COLUMNS: list[output.Column] = [
    ("ID", "id"),
    ("TITLE", "title"),
    ("SIZE", shown.size("size_bytes")),
    ("GOES", lambda row: "goes" if row["goes"] else "stays"),
    ("WHY", "reason"),
]


@app.command()
def plan(
    *, all_: Annotated[bool, typer.Option("--all", help="Those that stay, too, with the reason.")] = False
) -> None:
    """What would be freed now; nothing is changed."""
    found = [row for row in PLAN() if all_ or row["goes"]]
    output.rows(found, COLUMNS, empty="Nothing would be freed now; --all says why.")
