"""`nephos logs ROLE`: the end of a role's log, straight from the home folder."""

from __future__ import annotations

from collections import deque
from typing import Annotated

import typer

from nephos.cli import lazy, options, output, station
from nephos.lib import errors

app = lazy.single()


@app.command()
def logs(
    role: Annotated[str, typer.Argument(help="web, recorder, sync, farm, keeper or supervisor.")] = "supervisor",
    *,
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, max=100_000, help="How many.")] = 50,
) -> None:
    """The last lines of a role's log."""
    folder = station.settings_or_defaults(options.here()).home.logs
    known = sorted(path.stem for path in folder.glob("*.log"))
    if role not in known:
        raise errors.NotFound(
            f"There is no log of {role[:40]!r}.", hint=f"There are: {', '.join(known)}." if known else ""
        )
    with (folder / f"{role}.log").open(encoding="utf-8", errors="replace") as stream:
        for line in deque(stream, maxlen=lines):
            output.raw(output.printable(line.rstrip("\n")))
