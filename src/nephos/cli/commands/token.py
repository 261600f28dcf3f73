"""`nephos token`: keys for programs."""

from __future__ import annotations

from typing import Annotated

import typer

from nephos.cli import lazy, output, shown
from nephos.cli.operations import Operation, given
from nephos.lib import text

LIST = Operation("GET", "/tokens")
ADD = Operation("POST", "/tokens")
REMOVE = Operation("DELETE", "/tokens/{ref}")

app = lazy.noun("Keys for programs.")

COLUMNS: list[output.Column] = [
    ("ID", "id"),
    ("NAME", "name"),
    ("SCOPES", "scopes"),
    ("USER", "user"),
    ("LAST USED", shown.moment("last_used_at")),
    ("EXPIRES", shown.moment("expires_at")),
]


@app.command("list")
def list_() -> None:
    """List the tokens; their secrets are not kept."""
    output.rows(LIST(), COLUMNS, empty="There are no tokens yet; `nephos token add` makes one.")


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="What it is for.", show_default=False)],
    *,
    scope: Annotated[
        list[str] | None, typer.Option(help="read, operate, admin, report or worker; may be repeated.")
    ] = None,
    user: Annotated[str | None, typer.Option(help="Whose it is: it can never do more than they can.")] = None,
    expires_in: Annotated[str | None, typer.Option(help="How long it works, for example 90d.")] = None,
) -> None:
    """Make a token; its secret is printed once, on stdout."""
    lasting = text.parse_duration(expires_in).total_seconds() if expires_in else None
    made = ADD(body=given(name=name, scopes=scope or ["read"], user=user, expires_in_seconds=lasting))
    output.one(made, [("secret", "secret"), ("name", "name"), ("id", "id"), ("scopes", "scopes")])
    output.say("The secret is shown this once. Use it as NEPHOS_TOKEN, or as `Authorization: Bearer SECRET`.")


@app.command()
def remove(token: Annotated[str, typer.Argument(help="Id or name.", show_default=False)]) -> None:
    """Take a token back at once."""
    REMOVE(token)
    output.done({"removed": token}, f"Token {token} opens nothing any more.")
