"""`nephos watch`: what is kept delivered."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from nephos.cli import ask, lazy, options, output, shown
from nephos.cli.operations import Operation, given
from nephos.lib import errors, text

LIST = Operation("GET", "/watches")
ADD = Operation("POST", "/watches")
SHOW = Operation("GET", "/watches/{name}")
REMOVE = Operation("DELETE", "/watches/{name}")
PLAN = Operation("GET", "/watches/{name}/plan")
PAUSE = Operation("POST", "/watches/{name}/pause")
RESUME = Operation("POST", "/watches/{name}/resume")
RESCAN = Operation("POST", "/watches/{name}/rescan")

UNDO = Operation("POST", "/watches/{name}/undo")
APPROVE = Operation("POST", "/watches/{name}/approve")
RESET = Operation("POST", "/watches/{name}/reset")
RESTORE = Operation("POST", "/watches/{name}/restore")
IGNORED = Operation("GET", "/ignored-names")

QUESTIONS = {
    "settle": ("settle_seconds", "How long a file must rest before it is sent, for example 5s"),
    "ignore": ("ignore", "Names to leave, as in .gitignore, with blanks between them"),
    "mode": ("mode", "Deletions: keep (they stay here) or mirror (they travel)"),
    "priority": ("priority", "Priority, higher goes first"),
}

app = lazy.noun("What is kept delivered.")

Name = Annotated[str, typer.Argument(help="Name of the watch.", show_default=False)]

COLUMNS: list[output.Column] = [
    ("NAME", "name"),
    ("SOURCE", "source"),
    ("TO", "destinations"),
    ("PIPELINE", "pipeline"),
    ("ENABLED", "enabled"),
]
FIELDS: list[output.Column] = [
    ("name", "name"),
    ("source", "source"),
    ("to", "destinations"),
    ("pipeline", "pipeline"),
    ("settles after", shown.length("settle_seconds")),
    ("ignores", "ignore"),
    ("deletions", lambda row: "travel" if row["mode"] == "mirror" else "stay here"),
    ("priority", "priority"),
    ("while they grow", lambda row: "sent behind the writer" if row["grow"] else "wait"),
    ("enabled", "enabled"),
    ("paused", "paused"),
]
PROGRESS: list[output.Column] = [
    ("TO", "destination"),
    ("PATHS", lambda row: ", ".join(f"{number} {state}" for state, number in row["paths"].items())),
    ("SIZE", shown.size("bytes")),
    ("DONE", shown.size("bytes_done")),
    ("PAUSED", "paused"),
]
ACTIONS: list[output.Column] = [
    ("ACTION", "action"),
    ("PATH", "path"),
    ("TO", "destination"),
    ("SIZE", shown.size("bytes")),
    ("BECAUSE", "because"),
]


@app.command("list")
def list_() -> None:
    """List the watches."""
    output.rows(LIST(), COLUMNS, empty="There are no watches yet; `nephos watch add` adds one.")


@app.command()
def show(name: Name) -> None:
    """Show a watch and how far it is."""
    found = SHOW(name)
    output.one(found, FIELDS)
    if not options.current.json and found["progress"]:
        output.raw("")
        output.rows(found["progress"], PROGRESS, empty="")


@app.command()
def add(  # noqa: PLR0913 - the fields of a watch
    name: Annotated[str, typer.Argument(help="Its name; or a folder, with a destination behind it.")],
    destination: Annotated[str | None, typer.Argument(help="Where the folder is delivered to.")] = None,
    *,
    to: Annotated[list[str] | None, typer.Option(help="Destination; may be repeated.", show_default=False)] = None,
    folder: Annotated[str | None, typer.Option(help="The folder that is watched.")] = None,
    sets: Annotated[bool, typer.Option("--sets", help="The sets that the station hands over.")] = False,
    pipeline: Annotated[str | None, typer.Option(help="Process the files first.")] = None,
    settle: Annotated[str | None, typer.Option(help="How long a file must rest, for example 5s.")] = None,
    ignore: Annotated[list[str] | None, typer.Option(help="Names to leave, as in .gitignore; repeatable.")] = None,
    mode: Annotated[str | None, typer.Option(help="keep: deletions stay here; mirror: they travel.")] = None,
    priority: Annotated[int | None, typer.Option(min=-100, max=100, help="Higher goes first.")] = None,
    grow: Annotated[
        bool, typer.Option("--grow", help="Send recordings, and what is only appended to, while it grows.")
    ] = False,
) -> None:
    """Add a watch: --folder for a folder, --sets for recordings and their outputs.

    `watch add FOLDER DESTINATION` asks for the rest; Enter skips a question.
    """
    targets = [part.strip() for one in to or [] for part in one.split(",") if part.strip()]
    answers: dict[str, object] = {}
    if destination is not None:
        folder, targets = str(Path(name).expanduser().absolute()), [destination, *targets]
        name = _name_of(folder)
        if ask.is_possible():
            name = ask.text(f"Name of the watch [{name}]") or name
            answers = _ask_for(settle=settle, ignore=ignore, mode=mode, priority=priority)
    if not targets:
        raise errors.Invalid("Nobody said where to.", hint="--to DESTINATION; `nephos destination list` shows them.")
    body = given(
        name=name,
        destinations=targets,
        folder=folder,
        sets=sets,
        pipeline=pipeline,
        settle_seconds=text.parse_duration(settle).total_seconds() if settle else None,
        ignore=ignore,
        mode=mode,
        priority=priority,
        grow=grow or None,
    )
    made = ADD(body=body | answers)
    output.done(made, f"Watch {made['name']} is there.")


def _name_of(folder: str) -> str:
    """A name for a watch, by its folder's."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", Path(folder).name).strip("-_")[:63] or "watch"


def _ask_for(**chosen: object) -> dict[str, object]:
    """Ask for what was not given on the command line; what is skipped is named."""
    answers: dict[str, object] = {}
    skipped: list[str] = []
    for key, (field, question) in QUESTIONS.items():
        if chosen[key] is not None:
            continue
        answer = ask.text(f"{question} (Enter skips)")
        if answer:
            answers[field] = _typed(key, answer)
        else:
            skipped.append(field)
    return answers | {"skipped": skipped}


def _typed(key: str, answer: str) -> object:
    if key == "settle":
        return text.parse_duration(answer).total_seconds()
    if key == "priority":
        return int(answer) if answer.lstrip("+-").isdecimal() else answer
    return answer.split() if key == "ignore" else answer


@app.command()
def remove(name: Name) -> None:
    """Remove a watch; what was delivered stays."""
    REMOVE(name)
    output.done({"removed": name}, f"Watch {name} is removed.")


@app.command()
def plan(
    name: Name,
    *,
    limit: Annotated[int, typer.Option(min=0, max=100_000, help="At most so many files.")] = 1000,
) -> None:
    """Show what would be sent, moved, deleted, held or left here, and why; changes nothing."""
    found = PLAN(name, query={"limit": limit})
    if options.current.json:
        output.as_json(found)
        return
    output.rows(found["files"], ACTIONS, empty="Everything is delivered.")
    counts = ", ".join(f"{number} {action}" for action, number in found["counts"].items())
    amount = shown.size("bytes_to_send")(found)
    output.say(f"{counts or 'nothing to do'}; {found['delivered']} delivered; {amount} to send. Nothing was changed.")


@app.command()
def pause(name: Name) -> None:
    """Send nothing of this watch for now."""
    output.done(PAUSE(name), f"Watch {name} pauses.")


@app.command()
def resume(name: Name) -> None:
    """Send again."""
    output.done(RESUME(name), f"Watch {name} goes on.")


@app.command()
def rescan(name: Name) -> None:
    """Look at every file again now."""
    output.done(RESCAN(name), f"Watch {name} is looked through.")


Paths = Annotated[list[str] | None, typer.Argument(help="Paths below the folder; all if none is named.")]


@app.command()
def undo(name: Name, paths: Paths = None) -> None:
    """Take deletions back, also those that were made at the destination."""
    output.done(UNDO(name, body={"paths": paths or []}), f"Deletions of watch {name} are taken back.")


@app.command()
def approve(name: Name, paths: Paths = None) -> None:
    """Let deletions go that are held because they are many."""
    output.done(APPROVE(name, body={"paths": paths or []}), f"Deletions of watch {name} go.")


@app.command()
def reset(name: Name) -> None:
    """Trust the folder as it is now, whatever disk it is on."""
    output.done(RESET(name), f"The folder of watch {name} is taken as it is.")


@app.command()
def restore(
    name: Name,
    paths: Paths = None,
    *,
    to: Annotated[Path, typer.Option(help="Folder that they are brought back to.", show_default=False)],
    source: Annotated[str | None, typer.Option("--from", help="Destination that they are read from.")] = None,
) -> None:
    """Bring delivered files back; `nephos transfer recalls` tells how far it is."""
    body = given(paths=paths or [], to=str(to.expanduser().absolute()), destination=source)
    output.done(RESTORE(name, body=body), f"Files of watch {name} come back to {to}; see `nephos transfer recalls`.")


@app.command()
def ignored() -> None:
    """List the names that are left alone by default."""
    output.rows(IGNORED(), [("PATTERN", "pattern"), ("BECAUSE", "because")], empty="")
