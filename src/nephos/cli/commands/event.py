"""`nephos event`: what happened, to what, when."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from nephos.cli import lazy, options, output, shown
from nephos.cli.operations import Operation
from nephos.lib import ports

LIST = Operation("GET", "/events")

app = lazy.noun("What happened, to what, when.")

Kind = Annotated[str, typer.Option(help="Only kinds that begin so, for example asset or job.finished.")]
Subject = Annotated[str, typer.Option(help="Only about this, for example asset:12.")]

COLUMNS: list[output.Column] = [
    ("ID", "id"),
    ("AT", shown.moment("at")),
    ("LEVEL", "level"),
    ("KIND", "kind"),
    ("WHAT", "text"),
    ("BY", "actor"),
]


@app.command("list")
def list_(
    *,
    kind: Kind = "",
    subject: Subject = "",
    after: Annotated[int | None, typer.Option(min=0, help="Only later than this id, oldest first.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 50,
) -> None:
    """List the last events, newest first."""
    found = LIST(query={"kind": kind, "subject": subject, "after": after, "limit": limit})
    output.rows(found, COLUMNS, empty="Nothing has happened yet.")


@app.command()
def follow(*, kind: Kind = "", subject: Subject = "") -> None:
    """Print events as they happen, until Ctrl-C; with --json one object a line."""
    newest = LIST(query={"limit": 1})
    position = int(newest[0]["id"]) if newest else 0
    while True:
        found: list[dict[str, Any]] = LIST(query={"kind": kind, "subject": subject, "after": position, "limit": 200})
        for entry in found:
            _print(entry)
            position = int(entry["id"])
        ports.pause(0.5)


def _print(entry: dict[str, Any]) -> None:
    if options.current.json:
        output.json_line(entry)
    else:
        output.raw(output.printable(f"{shown.local(entry['at'])}  {entry['level']:7}  {entry['text']}"))
        output.flush()
