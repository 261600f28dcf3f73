"""`nephos maintenance`: what the station looks at by itself."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from nephos.cli import lazy, options, output, shown
from nephos.cli.operations import Operation
from nephos.lib import text
from nephos.lib.errors import ExitCode

LIST = Operation("GET", "/maintenance")
RUN = Operation("POST", "/maintenance/{check}/run")

app = lazy.noun("What the station looks at by itself.")

COLUMNS: list[output.Column] = [
    ("CHECK", "name"),
    ("ON", lambda row: "on" if row["enabled"] else "off"),
    ("EVERY", shown.length("interval_seconds")),
    ("LAST", shown.moment("ran_at")),
    ("ABOUT", lambda row: row["about"].replace("\n", " ")),
]
PROBLEMS: list[output.Column] = [("ID", "id"), ("WHAT", "sentence"), ("WHY", "reason")]


@app.command("list")
def list_() -> None:
    """List the checks: on or off, how often, when they last ran."""
    output.rows(LIST(), COLUMNS, empty="There are no checks.")


@app.command()
def run(check: Annotated[str, typer.Argument(help="Its name, for example disk.", show_default=False)]) -> int:
    """Look now, without waiting for its time; says what is wrong after it."""
    made: dict[str, Any] = RUN(check)
    if made["error"]:
        output.done(made, f"The check {check} failed: {made['error']}. `nephos logs keeper` tells more.")
        return ExitCode.FAILED
    number = text.count(len(made["problems"]), "problem")
    output.done(made, f"The check {check} took {made['seconds']:.1f} s; {number} of its kind open.")
    if made["problems"] and not options.current.json:
        output.rows(made["problems"], PROBLEMS, empty="")
    return ExitCode.DONE
