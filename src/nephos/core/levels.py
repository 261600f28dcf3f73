"""Which records are kept: a level for each module, followed while the process runs; and a debug file a package."""

from __future__ import annotations

import logging
import logging.handlers
import threading
from datetime import timedelta
from pathlib import Path

from nephos.config.live import Live
from nephos.config.load import Loaded
from nephos.config.schema import Logging

_LOOK = timedelta(seconds=2)
_OURS = "nephos"
_DEBUG_FILES = 2  # older ones a package, each a quarter of a role's file: many packages times many roles


class Levels(logging.Filter):
    """Lets a record through by the level of the longest module name that it belongs to."""

    def __init__(self, choices: Logging) -> None:
        super().__init__()
        self._known: dict[str, int] = {}
        self.take_up(choices)

    def take_up(self, choices: Logging) -> None:
        """Use these levels from now on."""
        self._base = _number(choices.level)
        self._modules = {_full(name): _number(level) for name, level in choices.modules.items()}
        self._known = {}
        lowest = min([self._base, *self._modules.values()])
        logging.getLogger().setLevel(self._base)
        logging.getLogger(_OURS).setLevel(logging.DEBUG if choices.debug_files else lowest)

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is wanted."""
        level = self._known.get(record.name)
        if level is None:
            level = self._known[record.name] = self._level_of(record.name)
        return record.levelno >= level

    def _level_of(self, name: str) -> int:
        while name:
            if name in self._modules:
                return self._modules[name]
            name = name.rpartition(".")[0]
        return self._base


class PackageFiles(logging.Handler):
    """Everything that a package says, debug included, in `debug/<package>.<role>.log`.

    Each process has files of its own: two that rotate the same file would throw each other's lines away.
    """

    def __init__(self, folder: Path, role: str, choices: Logging) -> None:
        super().__init__(logging.DEBUG)
        self._folder = folder
        self._role = role
        self._bytes = max(65_536, choices.file_bytes // 4)
        self._files: dict[str, logging.Handler] = {}
        self.wanted = choices.debug_files

    def emit(self, record: logging.LogRecord) -> None:
        """Hand the record to its package's file."""
        top, _, rest = record.name.partition(".")
        if self.wanted and top == _OURS and rest:
            try:
                self._file(rest.partition(".")[0]).emit(record)
            except OSError:  # a full disk, a folder that is gone: the work goes on
                self.handleError(record)

    def _file(self, package: str) -> logging.Handler:
        if package not in self._files:
            self._folder.mkdir(mode=0o750, parents=True, exist_ok=True)
            made = logging.handlers.RotatingFileHandler(
                self._folder / f"{package}.{self._role}.log",
                maxBytes=self._bytes,
                backupCount=_DEBUG_FILES,
                encoding="utf-8",
            )
            made.setFormatter(self.formatter)
            self._files[package] = made
        return self._files[package]

    def close(self) -> None:
        """Close all files."""
        for handler in self._files.values():
            handler.close()
        super().close()


def follow(loaded: Loaded, levels: Levels, files: PackageFiles) -> None:
    """Take up changed levels within seconds, for as long as the process lives."""
    live = Live(loaded)
    rest = threading.Event()

    def look() -> None:
        current = loaded.settings.logging
        while not rest.wait(_LOOK.total_seconds()):
            newest = live.current().settings.logging
            if newest != current:
                current = newest
                files.wanted = newest.debug_files
                levels.take_up(newest)

    threading.Thread(target=look, name="log-levels", daemon=True).start()


def _number(level: str) -> int:
    return logging.getLevelNamesMapping()[level.upper()]


def _full(module: str) -> str:
    return module if module == _OURS or module.startswith(f"{_OURS}.") else f"{_OURS}.{module}"
