"""`nephos logs MODULE`: what a role or a package said, straight from the files of the home."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nephos.cli import lazy, logfiles, options, output, station
from nephos.lib import errors, ports

app = lazy.single()

_LOOK_SECONDS = 0.25


@app.command()
def logs(
    module: Annotated[
        str, typer.Argument(help="A role (web, recorder...) or a package (recording, library...); else all roles.")
    ] = "",
    *,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, max=100_000, help="How many.")] = 50,
    level: Annotated[str, typer.Option(help="At least this: debug, info, warning, error, critical.")] = "",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what is added, until Ctrl-C.")] = False,
) -> None:
    """The last records of a role's or package's log; reads the files of this machine."""
    if level and level not in logfiles.LEVELS:
        raise errors.Invalid(f"There is no level {level[:20]!r}.", hint=f"There are: {', '.join(logfiles.LEVELS)}.")
    folder = station.settings_or_defaults(options.here()).home.logs
    paths = _find(folder, module, debug=level == "debug")
    follower = logfiles.Follower(paths) if follow else None
    for record in logfiles.last(paths, count=lines, level=level) if lines else []:
        _show(record)
    while follower is not None:
        for record in follower.more():
            if logfiles.wanted(record, level):
                _show(record)
        output.flush()
        ports.pause(_LOOK_SECONDS)


def _find(folder: Path, module: str, *, debug: bool) -> list[Path]:
    wanted = module.removeprefix("nephos.")
    paths = logfiles.find(folder, wanted, debug=debug)
    if paths:
        return paths
    known = logfiles.names(folder)
    hint = f"There are: {', '.join(known)}." if known else "The station has not been started yet."
    raise errors.NotFound(f"There is no log of {module[:40]!r}." if module else "There are no logs.", hint=hint)


def _show(record: logfiles.Record) -> None:
    if options.current.json:
        output.json_line({"at": record.at, "level": record.level, "module": record.module, "message": record.message})
        return
    for line in record.text.split("\n"):
        output.raw(output.printable(line))
