"""Somebody wants a loop of the keeper to look now: asked and answered by small files in `run/asked`.

The keeper alone looks, because its checks remember (two misses before a channel is down); files need no database and no
other door between two processes of one home.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from nephos.config.home import Home
from nephos.lib import clock, errors, files, ids, locks

_LOOK_SECONDS = 0.1
_LEFT_BEHIND = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Answer:
    """How it went; no error means well."""

    ran_at: datetime
    seconds: float
    error: str


class NoKeeper(errors.NotNow):
    """The keeper does not run, so nothing is looked at."""


class NoAnswer(errors.TimedOut):
    """The keeper has not answered yet; it looks as soon as it can."""


def ask(home: Home, name: str, *, patience: timedelta) -> Answer:
    """Let the loop of a name look, and wait for what it says. Raises NoKeeper, NoAnswer."""
    if not locks.FileLock(home.run / "keeper.lock").is_held():
        raise NoKeeper(hint="`nephos start` brings it up; `nephos logs keeper` tells why it ended.")
    folder = _folder(home)
    folder.mkdir(mode=0o750, exist_ok=True)
    _sweep(folder)
    question = folder / f"{name}.{ids.new()}.ask"
    files.write_json(question, {"at": clock.stamp(clock.now())}, durable=False)
    deadline, pause = clock.monotonic() + patience.total_seconds(), threading.Event()
    try:
        while clock.monotonic() < deadline:
            found = files.read_json(question.with_suffix(".json"))
            if isinstance(found, dict):
                return Answer(clock.parse(found["ran_at"]), found["seconds"], found["error"])
            pause.wait(_LOOK_SECONDS)
    finally:
        question.unlink(missing_ok=True)
        question.with_suffix(".json").unlink(missing_ok=True)
    raise NoAnswer(hint="`nephos logs keeper` tells what it is at.")


def questions(home: Home, name: str) -> list[Path]:
    """Who wants the loop of a name to look."""
    return list(_folder(home).glob(f"{name}.*.ask"))


@contextlib.contextmanager
def answering(asked: list[Path]) -> Iterator[None]:
    """Tell all that asked how the block went."""
    began, ran_at, error = clock.monotonic(), clock.now(), ""
    try:
        yield
    except Exception as failure:
        error = f"{type(failure).__name__}: {failure}"[:500]
        raise
    finally:
        said = {"ran_at": clock.stamp(ran_at), "seconds": round(clock.monotonic() - began, 3), "error": error}
        for question in asked:
            with contextlib.suppress(OSError):
                question.unlink(missing_ok=True)
                files.write_json(question.with_suffix(".json"), said, durable=False)


def _folder(home: Home) -> Path:
    return home.asked


def _sweep(folder: Path) -> None:
    """Answers to those who did not wait for them."""
    for path in folder.iterdir():
        with contextlib.suppress(OSError):
            if clock.unix() - path.stat().st_mtime > _LEFT_BEHIND.total_seconds():
                path.unlink()
