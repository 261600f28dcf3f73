"""`nephos channel`: named sources that can be received."""

from __future__ import annotations

from typing import Annotated

import typer

from nephos.cli import lazy, options, output, shown, station
from nephos.cli.operations import Operation, given
from nephos.lib import text

LIST = Operation("GET", "/channels")
ADD = Operation("POST", "/channels")
SHOW = Operation("GET", "/channels/{ref}")
EDIT = Operation("PATCH", "/channels/{ref}")
REMOVE = Operation("DELETE", "/channels/{ref}")
CHECK = Operation("POST", "/channels/{ref}/check")

app = lazy.noun("Named sources that can be received.")

Ref = Annotated[str, typer.Argument(help="Id, name, or the start of a name.", show_default=False)]
Country = Annotated[str | None, typer.Option(help="Two letters, for example ES.")]
Language = Annotated[str | None, typer.Option(help="Two or three letters, for example spa.")]
Zone = Annotated[str | None, typer.Option(help="IANA time zone, for example Europe/Madrid.")]

COLUMNS: list[output.Column] = [
    ("ID", "id"),
    ("NAME", "name"),
    ("ADDRESS", "address"),
    ("COUNTRY", "country"),
    ("LANGUAGE", "language"),
    ("ZONE", "zone"),
    ("STATUS", "status"),
]
LAYERS: list[output.Column] = [
    ("LAYER", "layer"),
    ("GRADE", "grade"),
    ("FOUND", "found"),
    ("ADVICE", "advice"),
]
FIELDS: list[output.Column] = [
    ("id", "id"),
    ("name", "name"),
    ("slug", "slug"),
    ("address", "address"),
    ("country", "country"),
    ("language", "language"),
    ("zone", "zone"),
    ("status", "status"),
    ("checked", shown.moment("status_at")),
    ("found", lambda row: (row.get("found") or {}).get("reason", "")),
    ("buffer", shown.length("buffer_seconds")),
]


@app.command("list")
def list_() -> None:
    """List the channels."""
    output.rows(LIST(), COLUMNS, empty="There are no channels yet; `nephos channel add` adds one.")


@app.command()
def show(channel: Ref) -> None:
    """Show a channel."""
    output.one(SHOW(channel), FIELDS)


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="What people call it.", show_default=False)],
    address: Annotated[str, typer.Argument(help="udp://239.1.2.3:5004?interface=eth1, https://..., srt://..., pipe:X")],
    *,
    country: Country = None,
    language: Language = None,
    zone: Zone = None,
    probe: Annotated[bool, typer.Option(help="Listen to it at once and tell what it carries.")] = True,
) -> None:
    """Add a channel, and tell what comes from it. One that is down now is added, too."""
    listens = probe and station.answers()
    body = given(name=name, address=address, country=country, language=language, zone=zone)
    made = ADD(body=body | {"probe": True} if listens else body)
    output.done(made, f"Channel {made['name']} is there (id {made['id']}).")
    if found := made.get("found"):
        if found["status"] != "up":
            output.say("Nothing can be recorded from it now; it is tried again when a booking is due.")
        output.say(found["reason"])


@app.command()
def edit(  # noqa: PLR0913 - the fields of a channel
    channel: Ref,
    *,
    name: Annotated[str | None, typer.Option(help="A new name.")] = None,
    address: Annotated[str | None, typer.Option(help="A new address.")] = None,
    country: Country = None,
    language: Language = None,
    zone: Zone = None,
    buffer: Annotated[str | None, typer.Option(help="Keep so much of what aired, for example 2h; 0s for none.")] = None,
) -> None:
    """Change a channel."""
    kept = int(text.parse_duration(buffer).total_seconds()) if buffer is not None else None
    body = given(name=name, address=address, country=country, language=language, zone=zone, buffer_seconds=kept)
    made = EDIT(channel, body=body)
    output.done(made, f"Channel {made['name']} is changed.")


@app.command()
def remove(channel: Ref) -> None:
    """Remove a channel; its recordings stay."""
    REMOVE(channel)
    output.done({"removed": channel}, f"Channel {channel} is removed.")


@app.command()
def check(
    channel: Ref, *, seconds: Annotated[float, typer.Option(min=0.5, max=30, help="How long to listen.")] = 3
) -> int | None:
    """Examine a channel layer by layer, from the join to the captions, with advice for the one that fails."""
    found = CHECK(channel, body={"seconds": seconds})
    if options.current.json:
        output.as_json(found)
    else:
        output.rows(found["layers"], LAYERS, empty="")
        output.say(found["reason"])
    return None if found["status"] == "up" else 1
