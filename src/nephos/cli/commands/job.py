"""`nephos job`: work of the farm."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from nephos.cli import lazy, options, output, shown
from nephos.cli.operations import Operation, given, pairs

LIST = Operation("GET", "/jobs")
SUBMIT = Operation("POST", "/jobs")
SHOW = Operation("GET", "/jobs/{id}")
LOG = Operation("GET", "/jobs/{id}/log")
WHY = Operation("GET", "/jobs/{id}/why")
CANCEL = Operation("POST", "/jobs/{id}/cancel")
RETRY = Operation("POST", "/jobs/{id}/retry")
PAUSE = Operation("POST", "/jobs/{id}/pause")
RESUME = Operation("POST", "/jobs/{id}/resume")

app = lazy.noun("Work of the farm.")

Id = Annotated[str, typer.Argument(help="Id, or the start of one.", show_default=False)]

COLUMNS: list[output.Column] = [
    ("ID", "id"),
    ("NAME", "name"),
    ("STATE", "state"),
    ("PROGRESS", shown.share("progress")),
    ("SUBJECT", "subject"),
    ("CREATED", shown.moment("created_at")),
    ("REASON", "reason"),
]
FIELDS: list[output.Column] = [
    ("id", "id"),
    ("name", "name"),
    ("state", "state"),
    ("why", "why"),
    ("progress", shown.share("progress")),
    ("subject", "subject"),
    ("priority", "priority"),
    ("publishes to", "publish_to"),
    ("created", shown.moment("created_at")),
    ("finished", shown.moment("finished_at")),
]
TASKS: list[output.Column] = [
    ("STEP", "step"),
    ("TASK", "number"),
    ("STATE", "state"),
    ("TRIES", "tries"),
    ("PROGRESS", shown.share("progress")),
    ("AT", "status_text"),
    ("REASON", "reason"),
]


@app.command("list")
def list_(
    *,
    state: Annotated[str | None, typer.Option(help="queued, running, paused, done, failed, cancelled.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 50,
) -> None:
    """List the jobs, newest first."""
    output.rows(
        LIST(query={"state": state, "limit": limit}),
        COLUMNS,
        empty="There are no jobs; each recording with a pipeline makes one.",
    )


@app.command()
def show(job: Id) -> None:
    """Show a job and its tasks."""
    found = SHOW(job)
    if options.current.json:
        output.as_json(found)
        return
    output.one({**found, **found["job"]}, FIELDS)
    tasks = [{"step": step["name"], **task} for step in found["steps"] for task in step["tasks"]]
    if tasks:
        output.raw("")
        output.rows(tasks, TASKS, empty="")


@app.command()
def submit(
    template: Annotated[
        Path, typer.Argument(help="An Open Job Description template, YAML or JSON.", exists=True, dir_okay=False)
    ],
    *,
    parameter: Annotated[list[str] | None, typer.Option("--parameter", "-p", help="NAME=VALUE; repeatable.")] = None,
    name: Annotated[str | None, typer.Option(help="What people call it; else the template's name.")] = None,
    publish_to: Annotated[str | None, typer.Option(help="Folder below processed/ for what it makes.")] = None,
    priority: Annotated[int, typer.Option(help="More goes first.")] = 0,
) -> None:
    """Submit a job."""
    body = given(
        template=template.read_text(encoding="utf-8", errors="replace"),
        parameters=pairs(parameter or []),
        name=name,
        publish_to=publish_to,
        priority=priority,
    )
    made = SUBMIT(body=body)
    output.done(made, f"Job {made['job']['id']} is submitted.")
    if not options.current.json:
        output.raw(made["job"]["id"])


def _tell(made: dict[str, Any]) -> None:
    output.done(made, f"Job {made['job']['id']} is {made['job']['state']}. {made['why']}")


@app.command()
def why(job: Id) -> None:
    """Say in words what a job waits for or why it failed."""
    found = WHY(job)
    if options.current.json:
        output.as_json(found)
    else:
        output.raw(output.printable(found["why"]))


@app.command()
def log(job: Id) -> None:
    """Print what a job's tasks said."""
    output.raw(output.printable(LOG(job) or "").rstrip("\n"))


@app.command()
def cancel(job: Id) -> None:
    """Cancel a job; its running processes are killed."""
    made = CANCEL(job)
    _tell(made)


@app.command()
def retry(job: Id) -> None:
    """Run the failed and cancelled tasks of a job again."""
    made = RETRY(job)
    _tell(made)


@app.command()
def pause(job: Id) -> None:
    """Start no more tasks of a job."""
    made = PAUSE(job)
    _tell(made)


@app.command()
def resume(job: Id) -> None:
    """Go on with a paused job."""
    made = RESUME(job)
    _tell(made)
