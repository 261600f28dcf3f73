"""Which names in a watched folder are left alone: unfinished files by default, then the watch's own patterns."""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Sequence

import pathspec

from nephos.config.errors import ConfigError

DEFAULT: dict[str, str] = {
    ".*": "hidden files and folders",
    "*.part": "unfinished downloads and deliveries",
    "*.partial": "unfinished copies",
    "*.filepart": "unfinished copies of WinSCP",
    "*.crdownload": "unfinished downloads of Chromium",
    "*.download": "unfinished downloads of Safari",
    "*.tmp": "temporary files",
    "*.temp": "temporary files",
    "*.swp": "swap files of Vim",
    "*.swo": "swap files of Vim",
    "*.swx": "swap files of Vim",
    "*~": "copies that editors keep",
    "~$*": "files that Office has open",
    "#*#": "files that Emacs has open",
    "Thumbs.db": "pictures that Windows keeps",
    "desktop.ini": "settings that Windows keeps",
}
"""Each part of a path is looked at; `!PATTERN` in the watch's own list takes one back."""

_DEFAULT = re.compile("|".join(f"(?:{fnmatch.translate(pattern)})" for pattern in DEFAULT), re.DOTALL)


class Patterns:
    """What one watch leaves alone, in the syntax of .gitignore."""

    def __init__(self, lines: Sequence[str] = ()) -> None:
        """Raises ConfigError for a line that is no pattern."""
        self._own: pathspec.GitIgnoreSpec | None = None
        if lines:
            try:
                self._own = pathspec.GitIgnoreSpec.from_lines(lines)
            except (ValueError, TypeError, re.error) as error:
                raise ConfigError(
                    f"A pattern of names to leave cannot be understood: {error}.", hint="They are as in .gitignore."
                ) from error

    def ignores(self, path: bytes, *, folder: bool) -> bool:
        """Whether an entry is left alone; the folders above it were asked about before."""
        name = os.fsdecode(path.rpartition(b"/")[2])
        ignored = _DEFAULT.match(name) is not None
        if self._own is None:
            return ignored
        said = self._own.check_file(os.fsdecode(path) + ("/" if folder else "")).include
        return ignored if said is None else said

    def hides(self, folder: bytes) -> bool:
        """Whether a folder, or one above it, is left alone."""
        parts = folder.split(b"/") if folder else []
        return any(self.ignores(b"/".join(parts[:length]), folder=True) for length in range(1, len(parts) + 1))
