"""`nephos asset`: everything the station follows to its end."""

from __future__ import annotations

from typing import Annotated

import typer

from nephos.cli import lazy, options, output, shown
from nephos.cli.operations import Operation, given

LIST = Operation("GET", "/assets")
SHOW = Operation("GET", "/assets/{id}")
EDIT = Operation("PATCH", "/assets/{id}")
PROCESS = Operation("POST", "/assets/{id}/process")

app = lazy.noun("Everything the station follows to its end.")

Id = Annotated[str, typer.Argument(help="Id, or the stem of its file names.", show_default=False)]
State = Annotated[
    str | None, typer.Option(help="arriving, arrived, processing, processed, delivered, freed, failed, empty.")
]
Channel = Annotated[str | None, typer.Option(help="Only of this channel.")]
Search = Annotated[str | None, typer.Option(help="Part of the title or of the channel's name.")]
Pipeline = Annotated[str | None, typer.Option(help="Another pipeline than the last.")]
Limit = Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")]

COLUMNS: list[output.Column] = [
    ("ID", "id"),
    ("TITLE", "title"),
    ("DOOR", "door"),
    ("CHANNEL", "channel"),
    ("CREATED", shown.moment("created_at")),
    ("STATE", "state"),
    ("REASON", "reason"),
]
FIELDS: list[output.Column] = [
    ("id", "id"),
    ("title", "title"),
    ("door", "door"),
    ("state", "state"),
    ("reason", "reason"),
    ("channel", "channel"),
    ("watch", "watch"),
    ("pipeline", "pipeline"),
    ("folder", "folder"),
    ("stem", "stem"),
    ("tags", "tags"),
    ("created", shown.moment("created_at")),
    ("arrived", shown.moment("arrived_at")),
    ("processed", shown.moment("processed_at")),
    ("delivered", shown.moment("delivered_at")),
    ("kept", lambda row: "yes, whatever retention says" if row.get("keep") else ""),
]
FILES: list[output.Column] = [
    ("KIND", "kind"),
    ("PLACE", "place"),
    ("PATH", "path"),
    ("SIZE", shown.size("size_bytes")),
    ("LABEL", "label"),
    ("FREED", shown.moment("freed_at")),
]


@app.command("list")
def list_(*, state: State = None, channel: Channel = None, search: Search = None, limit: Limit = 50) -> None:
    """List the assets, newest first."""
    query = {"state": state, "channel": channel, "search": search, "limit": limit}
    output.rows(
        LIST(query=query),
        COLUMNS,
        empty="There are no assets yet; what is recorded or taken in by a watch becomes one.",
    )


@app.command()
def show(asset: Id) -> None:
    """Show an asset and its files."""
    found = SHOW(asset)
    output.one(found, FIELDS)
    if not options.current.json and found["files"]:
        output.raw("")
        output.rows(found["files"], FILES, empty="")


@app.command()
def edit(
    asset: Id,
    *,
    keep: Annotated[bool | None, typer.Option("--keep/--no-keep", help="Whether retention passes it by.")] = None,
) -> None:
    """Protect an asset from retention, or no longer."""
    made = EDIT(asset, body=given(keep=keep))
    output.done(made, f"{made['title']} {'is kept' if made['keep'] else 'may be freed by retention'}.")


@app.command()
def process(asset: Id, *, pipeline: Pipeline = None) -> None:
    """Process an asset again, or with another pipeline."""
    made = PROCESS(asset, body=given(pipeline=pipeline))
    job = made["job"]["id"]
    output.done(made, f"Job {job} is at it; `nephos job show {job}` tells how far.")
