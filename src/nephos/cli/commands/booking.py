"""`nephos booking`: planned and running airings."""

from __future__ import annotations

from typing import Annotated

import typer

from nephos.cli import lazy, options, output, shown
from nephos.cli.operations import Operation
from nephos.lib import text

LIST = Operation("GET", "/bookings")
SHOW = Operation("GET", "/bookings/{id}")
SKIP = Operation("POST", "/bookings/{id}/skip")
STOP = Operation("POST", "/bookings/{id}/stop")
EXTEND = Operation("POST", "/bookings/{id}/extend")

CALENDAR = Operation("GET", "/bookings.ics")
CONFLICTS = Operation("GET", "/bookings/conflicts")

app = lazy.noun("Planned and running airings of schedules.")

Id = Annotated[int, typer.Argument(help="Id of the booking.", show_default=False)]

COLUMNS: list[output.Column] = [
    ("ID", "id"),
    ("TITLE", "title"),
    ("CHANNEL", "channel"),
    ("STARTS", shown.moment("starts_at")),
    ("ENDS", shown.moment("ends_at")),
    ("STATE", "state"),
    ("REASON", "reason"),
]
SHORTAGES: list[output.Column] = [
    ("KIND", "kind"),
    ("FROM", shown.moment("starts_at")),
    ("TO", shown.moment("ends_at")),
    ("WHAT", "sentence"),
]
FIELDS: list[output.Column] = [
    ("id", "id"),
    ("title", "title"),
    ("channel", "channel"),
    ("schedule", "schedule"),
    ("starts", shown.moment("starts_at")),
    ("ends", shown.moment("ends_at")),
    ("recorded from", shown.moment("from_at")),
    ("recorded to", shown.moment("to_at")),
    ("state", "state"),
    ("reason", "reason"),
    ("asset", "asset_id"),
]


@app.command("list")
def list_(
    *,
    state: Annotated[str | None, typer.Option(help="planned, recording, recorded, missed, skipped, cancelled.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 50,
    ics: Annotated[bool, typer.Option("--ics", help="What will be recorded, as an iCalendar file.")] = False,
) -> None:
    """List the bookings."""
    if ics:
        output.raw(CALENDAR().removesuffix("\n"))
        return
    output.rows(
        LIST(query={"state": state, "limit": limit}), COLUMNS, empty="Nothing is booked; `nephos schedule add` plans."
    )
    if not options.current.json:
        for one in CONFLICTS():
            output.say(f"Warning: {one['sentence']}")


@app.command()
def conflicts() -> None:
    """Show where the network or the disk runs short in the next seven days."""
    output.rows(CONFLICTS(), SHORTAGES, empty="Everything that is booked fits.")


@app.command()
def show(booking: Id) -> None:
    """Show a booking."""
    output.one(SHOW(booking), FIELDS)


@app.command()
def skip(booking: Id) -> None:
    """Do not record a planned airing."""
    made = SKIP(booking)
    output.done(made, f"{made['title']} will not be recorded.")


@app.command()
def stop(booking: Id) -> None:
    """End a running recording now; what was recorded is kept."""
    made = STOP(booking)
    output.done(made, f"{made['title']} ends now.")


@app.command()
def extend(
    booking: Id, *, by: Annotated[str, typer.Option(help="How much longer, for example 10m.", show_default=False)]
) -> None:
    """Let a recording go on longer."""
    made = EXTEND(booking, body={"by_seconds": text.parse_duration(by).total_seconds()})
    output.done(made, f"{made['title']} ends at {shown.local(made['ends_at'])}.")
