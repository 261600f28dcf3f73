"""Lines for people or JSON for machines; a rotating file for each role; secrets never."""

from __future__ import annotations

import json
import logging
import logging.handlers
import sys
from typing import Any

from nephos.config.load import Loaded
from nephos.lib import clock

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


def setup(loaded: Loaded, *, role: str, console: bool = True) -> None:
    """Send this process's records to `logs/<role>.log` and, if wanted, to stderr."""
    choices = loaded.settings.logging
    formatter: logging.Formatter = JsonFormatter() if choices.format == "json" else LineFormatter()
    keep = logging.handlers.RotatingFileHandler(
        loaded.home.logs / f"{role}.log",
        maxBytes=choices.file_bytes,
        backupCount=choices.file_count,
        encoding="utf-8",
        delay=True,
    )
    handlers: list[logging.Handler] = [keep]
    if console:
        handlers.append(logging.StreamHandler(sys.stderr))
    for handler in handlers:
        handler.setFormatter(formatter)
    logging.captureWarnings(capture=True)
    root = logging.getLogger()
    root.handlers[:] = handlers
    root.setLevel(choices.level.upper())
    for module, level in choices.modules.items():
        logging.getLogger(f"nephos.{module.removeprefix('nephos.')}").setLevel(level.upper())
