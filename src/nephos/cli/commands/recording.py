"""`nephos recording`: what came off the air."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from nephos.cli import lazy, options, output, shown
from nephos.cli.commands import asset
from nephos.cli.operations import Operation, given

LIST = Operation("GET", "/recordings")
SHOW = Operation("GET", "/recordings/{id}")

app = lazy.noun("What came off the air.")


def _fact(key: str) -> Any:
    return lambda row: (row.get("recording") or {}).get(key)


def _time(key: str) -> Any:
    return lambda row: shown.local((row.get("recording") or {}).get(key))


COLUMNS: list[output.Column] = [
    ("ID", "id"),
    ("TITLE", "title"),
    ("CHANNEL", "channel"),
    ("STARTS", _time("starts_at")),
    ("STATE", "state"),
    ("VERDICT", _fact("verdict")),
    ("SCORE", _fact("score")),
    ("GRADE", _fact("grade")),
]
FIELDS: list[output.Column] = [
    *asset.FIELDS,
    ("planned from", _time("starts_at")),
    ("planned to", _time("ends_at")),
    ("recorded from", _time("recorded_from")),
    ("recorded to", _time("recorded_to")),
    ("verdict", _fact("verdict")),
    ("because", _fact("reason")),
    ("score", _fact("score")),
    ("grade", _fact("grade")),
]
GAPS: list[output.Column] = [
    ("GAP FROM", shown.moment("start")),
    ("TO", shown.moment("end")),
    ("LENGTH", shown.length("seconds")),
    ("CAUSE", "cause"),
]


@app.command("list")
def list_(
    *,
    state: asset.State = None,
    channel: asset.Channel = None,
    search: asset.Search = None,
    grade: Annotated[str | None, typer.Option(help="Only of these grades, for example A,B.")] = None,
    limit: asset.Limit = 50,
) -> None:
    """List the recordings, newest first."""
    query = {"state": state, "channel": channel, "search": search, "grade": grade, "limit": limit}
    output.rows(
        LIST(query=query), COLUMNS, empty="Nothing was recorded yet; `nephos record CHANNEL --duration 1m` begins."
    )


@app.command()
def show(recording: asset.Id) -> None:
    """Show a recording, its gaps and its files."""
    found = SHOW(recording)
    output.one(found, FIELDS)
    if options.current.json:
        return
    if gaps := found["recording"]["gaps"]:
        output.raw("")
        output.rows(gaps, GAPS, empty="")
    if found["files"]:
        output.raw("")
        output.rows(found["files"], asset.FILES, empty="")


@app.command()
def process(recording: asset.Id, *, pipeline: asset.Pipeline = None) -> None:
    """Process a recording again, or with another pipeline."""
    made = asset.PROCESS(recording, body=given(pipeline=pipeline))
    job = made["job"]["id"]
    output.done(made, f"Job {job} is at it; `nephos job show {job}` tells how far.")
