"""`nephos import FILE`: what an older program was told, taken over."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import typer

from nephos.cli import ask, lazy, options, output
from nephos.cli.operations import Operation, given
from nephos.lib import errors

TAKE = Operation("POST", "/import")

app = lazy.single()

_MOST_BYTES = 1_000_000

LINES: list[output.Column] = [
    ("LINE", "line"),
    ("OUTCOME", "outcome"),
    ("WHAT", "kind"),
    ("NAME", "name"),
    ("", "text"),
]


@app.command()
def import_(
    file: Annotated[
        str, typer.Argument(help="add_data, add_jobs or maintenance YAML of the old Nephos, or skynet's config.ini.")
    ],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done and do nothing.")] = False,
    deletions: Annotated[
        str | None, typer.Option(help="config.ini: keep or mirror; asked for, as complete_sync never meant it.")
    ] = None,
) -> int | None:
    """Take over channels, shares, jobs or settings of the old Nephos, or a folder of skynet."""
    text = _read(Path(file))
    chosen = deletions or _deletions(text)
    found = TAKE(body=given(text=text, dry_run=dry_run, deletions=chosen))
    if options.current.json:
        output.as_json(found)
    else:
        output.rows(found["lines"], LINES, empty="The file holds no entries.")
        output.say(_summary(found))
    if not found["refused"]:
        return None
    return errors.ExitCode.PARTLY if _done(found) else errors.ExitCode.FAILED


def _deletions(text: str) -> str | None:
    """The old program let deletions travel whatever the file said, so a person has to say it again."""
    if not re.search(r"(?m)^\s*complete_sync\s*[=:]", text) or not ask.is_possible():
        return None
    return ask.choice(
        "A file that is deleted here: does it stay at the destination, or go there too?", ("keep", "mirror")
    )


def _done(found: dict[str, Any]) -> int:
    return int(found["taken"]) + int(found["changed"]) + int(found["unchanged"])


def _summary(found: dict[str, Any]) -> str:
    counts = ", ".join(f"{found[word]} {word}" for word in ("taken", "changed", "unchanged", "refused"))
    return f"Would be: {counts}; nothing was done." if found["dry_run"] else f"Done: {counts}."


def _read(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            raw = stream.read(_MOST_BYTES + 1)
        text = raw.decode("utf-8-sig")
    except OSError as error:
        raise errors.Invalid(f"{path} cannot be read: {error.strerror or error}.") from None
    except ValueError:
        raise errors.Invalid(f"{path} is no text in UTF-8.") from None
    if len(raw) > _MOST_BYTES:
        raise errors.Invalid(f"{path} is larger than a megabyte.")
    return text
