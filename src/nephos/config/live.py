"""Settings that follow the file: a good change is taken up at the next look, a bad one leaves the old in force."""

from __future__ import annotations

import threading

from nephos.config import errors
from nephos.config.load import Loaded, load


class Live:
    """The settings in force now. Looks at the file's time and size, so it may be asked often."""

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded
        # Nothing is taken as seen: the file may have changed between its loading and the making of this.
        self._seen: tuple[int, int, int] | None = None
        self._guard = threading.Lock()
        self.problem = ""

    def current(self) -> Loaded:
        """The newest settings that were good; `problem` says what is wrong with newer ones."""
        with self._guard:
            mark = self._mark()
            if mark != self._seen:
                self._seen = mark
                self._take_up()
            return self._loaded

    def _take_up(self) -> None:
        try:
            self._loaded = load(self._loaded.home.root)
        except (errors.ConfigError, errors.HomeUnusable) as error:
            self.problem = error.message
        else:
            self.problem = ""

    def _mark(self) -> tuple[int, int, int]:
        try:
            found = self._loaded.home.config_file.stat()
        except OSError:
            return (0, 0, 0)
        return (found.st_mtime_ns, found.st_size, found.st_ino)
