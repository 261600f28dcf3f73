"""`nephos share`: people and the filters that say what they get."""

from __future__ import annotations

from typing import Annotated

import typer

from nephos.cli import lazy, output
from nephos.cli.operations import Operation, given

LIST = Operation("GET", "/shares")
ADD = Operation("POST", "/shares")
REMOVE = Operation("DELETE", "/shares/{ref}")

app = lazy.noun("People and the filters that say what they get.")

COLUMNS: list[output.Column] = [
    ("ID", "id"),
    ("E-MAIL", "email"),
    ("CHANNEL", "channel"),
    ("COUNTRY", "country"),
    ("LANGUAGE", "language"),
    ("ZONE", "zone"),
    ("TAGS", "tags"),
]


@app.command("list")
def list_() -> None:
    """List the shares."""
    output.rows(LIST(), COLUMNS, empty="There are no shares yet; `nephos share add` adds one.")


@app.command()
def add(
    email: Annotated[str, typer.Argument(help="Who.", show_default=False)],
    *,
    channel: Annotated[str | None, typer.Option(help="Only this channel.")] = None,
    country: Annotated[str | None, typer.Option(help="Only this country.")] = None,
    language: Annotated[str | None, typer.Option(help="Only this language.")] = None,
    zone: Annotated[str | None, typer.Option(help="Only this time zone.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="Only with this tag; may be repeated.")] = None,
) -> None:
    """Add a person; filters that are not given let everything pass."""
    made = ADD(body=given(email=email, channel=channel, country=country, language=language, zone=zone, tags=tag))
    output.done(made, f"{made['email']} has a share (id {made['id']}).")


@app.command()
def remove(share: Annotated[str, typer.Argument(help="Id or e-mail.", show_default=False)]) -> None:
    """Remove a share."""
    REMOVE(share)
    output.done({"removed": share}, f"The share {share} is removed.")
