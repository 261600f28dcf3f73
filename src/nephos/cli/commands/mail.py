"""`nephos mail`: telling people."""

from __future__ import annotations

from typing import Annotated

import typer

from nephos.cli import lazy, output, shown
from nephos.cli.operations import Operation, given

LIST = Operation("GET", "/notices")
TEST = Operation("POST", "/mail/test")

app = lazy.noun("Telling people: by mail and webhook.")

COLUMNS: list[output.Column] = [
    ("ID", "id"),
    ("MADE", shown.moment("made_at")),
    ("BY", "channel"),
    ("TO", "receiver"),
    ("TITLE", "title"),
    ("STATE", "state"),
    ("TRIES", "tries"),
    ("WHY", "reason"),
]
TRIALS: list[output.Column] = [
    ("BY", "channel"),
    ("TO", "receiver"),
    ("TAKEN", lambda row: "yes" if row["ok"] else "no"),
    ("WHY", "reason"),
    ("WHAT TO DO", "hint"),
]


@app.command("list")
def list_(*, limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 50) -> None:
    """What people were told or are to be told, newest first."""
    output.rows(
        LIST(query={"limit": limit}), COLUMNS, empty="Nobody was told anything yet; `nephos mail test` tries it."
    )


@app.command("test")
def try_(
    receiver: Annotated[str | None, typer.Argument(help="An address; else all of the settings.")] = None,
    *,
    webhook: Annotated[str | None, typer.Option(help="A webhook of the settings instead of the mail server.")] = None,
) -> int | None:
    """Send a trial message now and say how it went."""
    found = TEST(body=given(receiver=receiver, webhook=webhook))
    output.rows(found, TRIALS, empty="")
    return None if all(one["ok"] for one in found) else 1
