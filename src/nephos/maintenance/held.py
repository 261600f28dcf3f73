"""Files that are held back wait for a person: one problem a watch and destination, however many files."""

from __future__ import annotations

from collections import Counter
from pathlib import PurePath

from nephos.config.load import Loaded
from nephos.lib import text
from nephos.monitoring import services
from nephos.sync import queries
from nephos.sync.states import PathState

KIND = "delivery.held"


def check(loaded: Loaded) -> None:
    """Open or close a problem for each pair of watch and destination."""
    found = [
        _finding(status.watch, status.destination, status.paths[PathState.HELD], loaded)
        for status in queries.watches(loaded.home)
        if status.paths.get(PathState.HELD)
    ]
    for one in found:
        services.report(one)
    services.clear_others(KIND, keep=[one.key for one in found])


def rest() -> None:
    """The check is off."""
    services.clear_others(KIND)


def _finding(watch: str, destination: str, number: int, loaded: Loaded) -> services.Finding:
    choice = queries.Choice(watch=watch, destination=destination, state=PathState.HELD)
    rows = queries.transfers(loaded.home, choice, limit=200)
    causes = Counter(row.cause or "no reason was given" for row in rows).most_common(3)
    names = ", ".join(PurePath(row.path).name for row in rows[:3])
    return services.Finding(
        key=f"{KIND}:{watch}:{destination}",
        kind=KIND,
        subject=f"watch:{watch}",
        sentence=f"Watch {watch} cannot deliver to {destination}: {text.count(number, 'file')} held back.",
        reason=f"{names}{' and others' if number > 3 else ''}: {'; '.join(cause for cause, _ in causes)}",
        retry="Not by itself: what is held waits for a person.",
        hint="Mend the cause, then `nephos transfer retry ID`; `nephos transfer list --state held` shows them.",
    )
