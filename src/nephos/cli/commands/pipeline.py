"""`nephos pipeline`: what can be done with assets."""

from __future__ import annotations

from nephos.cli import lazy, output
from nephos.cli.operations import Operation

LIST = Operation("GET", "/pipelines")

app = lazy.noun("What can be done with assets.")


@app.command("list")
def list_() -> None:
    """List the pipelines."""
    columns: list[output.Column] = [("NAME", "name"), ("WHAT", "description"), ("STEPS", "steps")]
    output.rows(LIST(), columns, empty="There are no pipelines.")
