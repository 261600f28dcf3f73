"""`nephos transfer`: deliveries of files, and their receipts."""

from __future__ import annotations

from typing import Annotated

import typer

from nephos.cli import lazy, output, shown
from nephos.cli.operations import Operation

LIST = Operation("GET", "/transfers")
RECEIPTS = Operation("GET", "/receipts")
RETRY = Operation("POST", "/transfers/{id}/retry")

app = lazy.noun("Deliveries of files, and their receipts.")

Watch = Annotated[str | None, typer.Option(help="Only of this watch.")]
Limit = Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")]

COLUMNS: list[output.Column] = [
    ("ID", "id"),
    ("WATCH", "watch"),
    ("PATH", "path"),
    ("TO", "destination"),
    ("STATE", "state"),
    ("SIZE", shown.size("bytes")),
    ("SENT", shown.size("bytes_done")),
    ("NEXT TRY", shown.moment("next_try_at")),
    ("BECAUSE", "cause"),
]
RECEIPT_COLUMNS: list[output.Column] = [
    ("AT", shown.moment("at")),
    ("PATH", "path"),
    ("TO", "destination"),
    ("KEY", "key"),
    ("SIZE", shown.size("bytes")),
    ("PROOF", "proof"),
    ("SHA-256", lambda row: str(row.get("sha256") or "")[:16]),
]


@app.command("list")
def list_(
    *,
    watch: Watch = None,
    state: Annotated[str | None, typer.Option(help="ready, sending, verifying, delivered, waiting, held.")] = None,
    limit: Limit = 100,
) -> None:
    """List the transfers."""
    output.rows(LIST(query={"watch": watch, "state": state, "limit": limit}), COLUMNS, empty="There are no transfers.")


@app.command()
def receipts(*, watch: Watch = None, limit: Limit = 1000) -> None:
    """List the proofs of what was delivered."""
    output.rows(RECEIPTS(query={"watch": watch, "limit": limit}), RECEIPT_COLUMNS, empty="Nothing was delivered yet.")


@app.command()
def retry(transfer: Annotated[int, typer.Argument(help="Id of the transfer.", show_default=False)]) -> None:
    """Try a held or waiting transfer again now."""
    output.done(RETRY(transfer), f"Transfer {transfer} is tried again.")
