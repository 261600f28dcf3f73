"""How far a recording is on its journey: a bar on a terminal, lines elsewhere, nothing under --quiet."""

from __future__ import annotations

import contextlib
import sys
from datetime import datetime
from types import TracebackType
from typing import Any

from nephos.cli import options, output
from nephos.lib import clock

_LINE_EVERY_SECONDS = 10.0


class Journey:
    """Shows a booking and the asset that it becomes."""

    def __init__(self, made: dict[str, Any]) -> None:
        self._title = output.printable(made["title"])
        self._stack = contextlib.ExitStack()
        self._bar: Any = None
        self._task: Any = None
        self._said = ""
        self._said_at = 0.0

    def __enter__(self) -> Journey:
        if output.on_terminal(sys.stderr) and not options.current.quiet:
            from rich import console, progress

            columns = ("{task.description}", progress.BarColumn(), progress.TimeRemainingColumn())
            self._bar = self._stack.enter_context(
                progress.Progress(*columns, console=console.Console(stderr=True), transient=True)
            )
            self._task = self._bar.add_task("planned", total=1.0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def show(self, airing: dict[str, Any], found: dict[str, Any] | None) -> None:
        """Tell the newest state."""
        state = str((found or airing)["state"])
        if self._bar is not None:
            self._bar.update(self._task, description=f"{self._title}: {state}", completed=fraction(airing))
            return
        now = clock.monotonic()
        if state != self._said or now - self._said_at > _LINE_EVERY_SECONDS:
            self._said, self._said_at = state, now
            output.say(f"{self._title}: {state}")


def fraction(airing: dict[str, Any]) -> float:
    """How much of a booking's time is over, from 0 to 1."""
    start = datetime.fromisoformat(airing["starts_at"])
    length = (datetime.fromisoformat(airing["ends_at"]) - start).total_seconds()
    return min(1.0, max(0.0, (clock.now() - start).total_seconds() / length)) if length > 0 else 1.0
