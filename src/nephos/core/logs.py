"""Lines for people or JSON for machines; a rotating file for each role; secrets never."""

from __future__ import annotations

import contextlib
import json
import logging
import logging.handlers
import os
import sys
from typing import Any

from nephos.config.load import Loaded
from nephos.core import critical, levels
from nephos.lib import clock

_PIPE_BUF = 4096  # of Linux; POSIX promises 512
_KNOWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def extras(record: logging.LogRecord) -> dict[str, Any]:
    """The facts that were given in `extra`."""
    return {key: value for key, value in vars(record).items() if key not in _KNOWN}


class LineFormatter(logging.Formatter):
    """`2026-11-22T19:16:20.125Z info recording.recorder Joined group=239.1.2.3`"""

    def format(self, record: logging.LogRecord) -> str:
        facts = " ".join(f"{key}={_plain(value)}" for key, value in extras(record).items())
        module = record.name.removeprefix("nephos.")
        line = f"{clock.stamp(clock.now())} {record.levelname.lower():7} {module}: {_plain(record.getMessage())}"
        line = f"{line} {facts}" if facts else line
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {
            "at": clock.stamp(clock.now()),
            "level": record.levelname.lower(),
            "module": record.name,
            "message": record.getMessage(),
            **extras(record),
        }
        if record.exc_info:
            entry["trace"] = self.formatException(record.exc_info)
        return json.dumps(entry, default=str, ensure_ascii=False)


def _plain(value: Any) -> str:
    """One line, whatever a file or channel is called: control characters would let a name forge log lines."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in str(value))


class Mirror(logging.Handler):
    """Lines into a pipe that somebody reads for a person. Never waits: what does not fit is left out there."""

    def __init__(self, pipe: int) -> None:
        super().__init__(logging.INFO)
        self._pipe = pipe

    def emit(self, record: logging.LogRecord) -> None:
        """One write of at most PIPE_BUF bytes, so that lines of several processes never mix."""
        line, _, trace = self.format(record).partition("\n")
        mirror(self._pipe, f"{line} (the trace is in the log)" if trace else line)


def mirror(pipe: int, line: str) -> None:
    """Write a line into a non-blocking pipe, if there is room."""
    raw = line.encode("utf-8", "backslashreplace")[: _PIPE_BUF - 1] + b"\n"
    with contextlib.suppress(OSError):
        os.write(pipe, raw)


def is_up() -> bool:
    """Whether records of this process reach its files and, if critical, people."""
    return any(isinstance(handler, critical.Spool) for handler in logging.getLogger().handlers)


def setup(loaded: Loaded, *, role: str, console: bool = True, pipe: int | None = None) -> None:
    """Send this process's records to `logs/<role>.log`, to a debug file a package, and from info on to a person:
    to stderr, or into a pipe."""
    choices = loaded.settings.logging
    formatter: logging.Formatter = JsonFormatter() if choices.format == "json" else LineFormatter()
    chosen = levels.Levels(choices)
    packages = levels.PackageFiles(loaded.home.logs / "debug", role, choices)
    handlers: list[logging.Handler] = [
        logging.handlers.RotatingFileHandler(
            loaded.home.logs / f"{role}.log",
            maxBytes=choices.file_bytes,
            backupCount=choices.file_count,
            encoding="utf-8",
            delay=True,
        )
    ]
    if pipe is not None:
        handlers.append(Mirror(pipe))
    elif console:
        handlers.append(logging.StreamHandler(sys.stderr))
        handlers[-1].setLevel(logging.INFO)
    for handler in handlers:
        handler.addFilter(chosen)
    # The spool for critical records comes last: it must find them in the files when it is looked into.
    for handler in (*handlers, packages):
        handler.setFormatter(formatter)
    logging.captureWarnings(capture=True)
    logging.raiseExceptions = False  # a full disk must not print a trace for each line that finds no room
    logging.getLogger().handlers[:] = [*handlers, packages, critical.Spool(loaded.home.run, role)]
    levels.follow(loaded, chosen, packages)
