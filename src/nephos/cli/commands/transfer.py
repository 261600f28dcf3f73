"""`nephos transfer`: deliveries of files, and their receipts."""

from __future__ import annotations

import csv
import io
from typing import Annotated

import typer

from nephos.cli import lazy, options, output, shown
from nephos.cli.operations import Operation, given

LIST = Operation("GET", "/transfers")
RECEIPTS = Operation("GET", "/receipts")
RETRY = Operation("POST", "/transfers/{id}/retry")

SHOW = Operation("GET", "/transfers/{id}")
PAUSE = Operation("POST", "/transfers/{id}/pause")
RESUME = Operation("POST", "/transfers/{id}/resume")
PAUSE_ALL = Operation("POST", "/transfers/pause")
RESUME_ALL = Operation("POST", "/transfers/resume")
VERIFY = Operation("POST", "/transfers/verify")
RECALLS = Operation("GET", "/recalls")

app = lazy.noun("Deliveries of files, and their receipts.")

Watch = Annotated[str | None, typer.Option(help="Only of this watch.")]
Id = Annotated[int, typer.Argument(help="Id of the transfer.", show_default=False)]
Limit = Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")]

COLUMNS: list[output.Column] = [
    ("ID", "id"),
    ("WATCH", "watch"),
    ("PATH", "path"),
    ("TO", "destination"),
    ("ACTION", "action"),
    ("STATE", "state"),
    ("SIZE", shown.size("bytes")),
    ("SENT", shown.size("bytes_done")),
    ("NEXT TRY", shown.moment("next_try_at")),
    ("BECAUSE", "cause"),
]
FIELDS: list[output.Column] = [
    *[(title.lower(), field) for title, field in COLUMNS],
    ("source", "source"),
    ("attempts", "attempts"),
    ("parts", lambda row: f"{row['parts_done']} of {row['parts']}" if row["parts"] else ""),
    ("changed", shown.moment("changed_at")),
]
RECALL_COLUMNS: list[output.Column] = [
    ("ID", "id"),
    ("KIND", "kind"),
    ("PATH", "path"),
    ("FROM", "destination"),
    ("TO", "target"),
    ("SIZE", shown.size("bytes")),
    ("READ", shown.size("bytes_done")),
    ("STATE", "state"),
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
    output.rows(
        LIST(query={"watch": watch, "state": state, "limit": limit}),
        COLUMNS,
        empty="There are no transfers; `nephos watch add` says what is delivered.",
    )


@app.command()
def receipts(
    *,
    watch: Watch = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many.")] = 1000,
    as_csv: Annotated[bool, typer.Option("--csv", help="As a table for other programs; --json does the same.")] = False,
) -> None:
    """List the proofs of what was delivered."""
    found = RECEIPTS(query={"watch": watch, "limit": limit})
    if as_csv:
        output.raw(_csv(found))
        return
    output.rows(found, RECEIPT_COLUMNS, empty="Nothing was delivered yet.")


@app.command()
def show(transfer: Id) -> None:
    """Show a transfer and why it is not there yet."""
    found = SHOW(transfer)
    if options.current.json:
        output.as_json(found)
        return
    output.one(found["transfer"], FIELDS)
    if found["attempts"]:
        output.raw("")
        output.rows(found["attempts"], [("AT", shown.moment("at")), ("ACTION", "action"), ("WHAT", "what")], empty="")


@app.command()
def retry(transfer: Id) -> None:
    """Try a held or waiting transfer again now."""
    output.done(RETRY(transfer), f"Transfer {transfer} is tried again.")


@app.command()
def pause(transfer: Id) -> None:
    """Send nothing of this file for now."""
    output.done(PAUSE(transfer), f"Transfer {transfer} pauses.")


@app.command()
def resume(transfer: Id) -> None:
    """Send this file again."""
    output.done(RESUME(transfer), f"Transfer {transfer} goes on.")


@app.command("pause-all")
def pause_all() -> None:
    """Send nothing at all for now, also after a restart."""
    output.done(PAUSE_ALL(), "Nothing is sent until `nephos transfer resume-all`.")


@app.command("resume-all")
def resume_all() -> None:
    """End every pause."""
    output.done(RESUME_ALL(), "Everything goes on.")


@app.command()
def verify(
    transfer: Annotated[int | None, typer.Argument(help="Id of one transfer; everything if none is named.")] = None,
    *,
    watch: Watch = None,
    to: Annotated[str | None, typer.Option(help="Only on this destination.")] = None,
) -> None:
    """Read what was delivered again and compare it with its receipts; what is wrong is sent anew."""
    done = VERIFY(body=given(transfer=transfer, watch=watch, destination=to))
    output.done(done, "It is read again; `nephos transfer recalls` tells how far it is.")


@app.command()
def recalls(*, watch: Watch = None, limit: Limit = 200) -> None:
    """List what is read back, to restore or to verify it."""
    output.rows(RECALLS(query={"watch": watch, "limit": limit}), RECALL_COLUMNS, empty="Nothing is read back.")


def _csv(found: list[dict[str, object]]) -> str:
    text = io.StringIO()
    fields = ["at", "watch", "destination", "path", "key", "bytes", "sha256", "etag", "version", "proof", "set"]
    table = csv.DictWriter(text, fields, extrasaction="ignore", lineterminator="\n")
    table.writeheader()
    table.writerows({name: _cell(value) for name, value in row.items()} for row in found)
    return text.getvalue().rstrip("\n")


def _cell(value: object) -> object:
    """A name that a spreadsheet would take for a formula is kept a name."""
    return f"'{value}" if isinstance(value, str) and value[:1] in {"=", "+", "-", "@"} else value
