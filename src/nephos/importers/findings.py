"""What became of each line of an imported file."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Outcome(StrEnum):
    """What became of an entry; `note` is said of a field that was mended or left out."""

    TAKEN = "taken"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REFUSED = "refused"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the answer."""

    line: int
    outcome: Outcome
    kind: str
    name: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """The whole answer. With `dry_run` nothing was kept."""

    kind: str
    dry_run: bool
    taken: int
    changed: int
    unchanged: int
    refused: int
    lines: list[Finding] = field(default_factory=list)


def report(kind: str, lines: list[Finding], *, dry_run: bool) -> Report:
    """Count the outcomes and put the lines in order."""

    def count(outcome: Outcome) -> int:
        return sum(line.outcome is outcome for line in lines)

    return Report(
        kind=kind,
        dry_run=dry_run,
        taken=count(Outcome.TAKEN),
        changed=count(Outcome.CHANGED),
        unchanged=count(Outcome.UNCHANGED),
        refused=count(Outcome.REFUSED),
        lines=sorted(lines, key=lambda line: line.line),
    )
