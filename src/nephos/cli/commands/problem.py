"""`nephos problem`: what is wrong just now."""

from __future__ import annotations

from typing import Annotated

import typer

from nephos.cli import lazy, output, shown
from nephos.cli.operations import Operation
from nephos.lib import text

LIST = Operation("GET", "/problems")
SHOW = Operation("GET", "/problems/{ref}")
MUTE = Operation("POST", "/problems/{ref}/mute")

app = lazy.noun("What is wrong just now.")

Ref = Annotated[str, typer.Argument(help="Id or key.", show_default=False)]

COLUMNS: list[output.Column] = [
    ("ID", "id"),
    ("SINCE", shown.moment("opened_at")),
    ("WEIGHT", "weight"),
    ("STATE", "state"),
    ("WHAT", "sentence"),
    ("WHY", "reason"),
]
FIELDS: list[output.Column] = [
    ("id", "id"),
    ("key", "key"),
    ("state", "state"),
    ("weight", "weight"),
    ("what", "sentence"),
    ("why", "reason"),
    ("tried again", "retry"),
    ("what to do", "hint"),
    ("times", "count"),
    ("since", shown.moment("opened_at")),
    ("last seen", shown.moment("seen_at")),
    ("over", shown.moment("closed_at")),
    ("muted until", shown.moment("muted_until")),
]


@app.command("list")
def list_(
    *,
    all_: Annotated[bool, typer.Option("--all", help="Those that are over, too.")] = False,
    kind: Annotated[str, typer.Option(help="Only kinds that begin so, for example channel or disk.low.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 100,
) -> None:
    """List the open problems, newest first."""
    found = LIST(query={"state": "" if all_ else "open", "kind": kind, "limit": limit})
    output.rows(found, COLUMNS, empty="There are no problems.")


@app.command()
def show(problem: Ref) -> None:
    """What, why, when it is tried again, what to do."""
    output.one(SHOW(problem), FIELDS)


@app.command()
def mute(
    problem: Ref,
    *,
    for_: Annotated[str, typer.Option("--for", help="How long, for example 8h; 0s: no longer.")] = "1d",
) -> None:
    """Tell nobody of a problem for a while, also if it comes back meanwhile."""
    length = text.parse_duration(for_)
    made = MUTE(problem, body={"seconds": length.total_seconds()})
    words = f"is muted for {text.duration(length)}" if length else "is told again"
    output.done(made, f"Problem {made['id']} {words}.")
