"""`nephos guide`: programme guides."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any

import typer

from nephos.cli import lazy, options, output, shown
from nephos.cli.commands import channel
from nephos.cli.operations import Operation, pairs
from nephos.lib import clock, errors
from nephos.recording.guide import matching, xmltv

LIST = Operation("GET", "/guide")
TAKE = Operation("POST", "/guide")

app = lazy.noun("Programme guides: what airs when, and what it is called.")

_AT_ONCE = 1000

COLUMNS: list[output.Column] = [
    ("CHANNEL", "channel"),
    ("STARTS", shown.moment("starts_at")),
    ("ENDS", shown.moment("ends_at")),
    ("TITLE", "title"),
    ("", "subtitle"),
]


@app.command("list")
def list_(
    *,
    channel: Annotated[str | None, typer.Option(help="Only of this channel.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 50,
) -> None:
    """Show what airs now and next."""
    empty = "No guide was imported; `nephos guide import FILE.xml` does."
    output.rows(LIST(query={"channel": channel, "limit": limit}), COLUMNS, empty=empty)


@app.command("import")
def import_(
    file: Annotated[str, typer.Argument(help="An XMLTV file.", show_default=False)],
    *,
    channel_map: Annotated[
        list[str] | None, typer.Option(help="ID=NAME: which channel an id of the file means; may be repeated.")
    ] = None,
) -> int | None:
    """Take an XMLTV guide in: bookings and recordings get the titles of the programmes at their time."""
    guide = _read(Path(file))
    known = matching.channels(guide.names, [row["name"] for row in channel.LIST()], pairs(channel_map or []))
    taken = [TAKE(body=body) for body in _bodies(guide, known)]
    unknown = sorted({one.channel for one in guide.programmes} - set(known))
    counts = {key: sum(one[key] for one in taken) for key in ("programmes", "titles")}
    told = {**counts, "channels": sorted({one["channel"] for one in taken}), "unknown": unknown}
    if options.current.json:
        output.as_json({**told, "skipped": guide.skipped})
    else:
        output.say(f"{counts['programmes']} programmes of {len(told['channels'])} channels; {counts['titles']} titles.")
        if unknown:
            output.say(f"Nobody knows these channels: {', '.join(unknown)[:300]}. --channel-map ID=NAME says which.")
    return None if taken else errors.ExitCode.FAILED


def _read(file: Path) -> xmltv.Guide:
    try:
        with file.open("rb") as stream:
            return xmltv.read(stream)
    except OSError as error:
        raise errors.NotFound(f"{file} cannot be read: {error.strerror or error}.") from error


def _bodies(guide: xmltv.Guide, known: dict[str, str]) -> Iterator[dict[str, Any]]:
    for identity, programmes in groupby(guide.programmes, key=lambda one: one.channel):
        if identity not in known:
            continue
        rows = [
            {
                "starts_at": clock.stamp(one.start),
                "ends_at": clock.stamp(one.end),
                "title": one.title,
                "subtitle": one.subtitle,
            }
            for one in programmes
        ]
        for start in range(0, len(rows), _AT_ONCE):
            yield {"channel": known[identity], "programmes": rows[start : start + _AT_ONCE]}
