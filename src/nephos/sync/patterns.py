"""Which names in a watched folder are left alone: unfinished files by default, then the watch's own patterns."""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from nephos.config.errors import ConfigError

if TYPE_CHECKING:
    import pathspec

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

# Asked for each of hundreds of thousands of names: plain ends and beginnings first, patterns only for the rest.
_WILD = re.compile(r"[*?\[]")
_NAMES = frozenset(each.encode() for each in DEFAULT if not _WILD.search(each))
_ENDINGS = tuple(each[1:].encode() for each in DEFAULT if each[0] == "*" and not _WILD.search(each[1:]))
_STARTS = tuple(each[:-1].encode() for each in DEFAULT if each[-1] == "*" and not _WILD.search(each[:-1]))
_PLAIN = [*_NAMES, *(b"*" + end for end in _ENDINGS), *(start + b"*" for start in _STARTS)]
_REST = re.compile("|".join(fnmatch.translate(each) for each in DEFAULT if each.encode() not in _PLAIN).encode())


def is_ignored_by_default(name: bytes) -> bool:
    """Whether a name is of those that every watch leaves alone."""
    return name.startswith(_STARTS) or name.endswith(_ENDINGS) or name in _NAMES or _REST.match(name) is not None


class Patterns:
    """What one watch leaves alone, in the syntax of .gitignore."""

    def __init__(self, lines: Sequence[str] = ()) -> None:
        """Raises ConfigError for a line that is no pattern."""
        self.is_plain = not lines  # nothing but the default: a question of the name alone
        self._own: pathspec.GitIgnoreSpec | None = None
        if lines:
            import pathspec  # a tenth of the start of sync, which most watches do not need

            try:
                self._own = pathspec.GitIgnoreSpec.from_lines(lines)
            except (ValueError, TypeError, re.error) as error:
                raise ConfigError(
                    f"A pattern of names to leave cannot be understood: {error}.", hint="They are as in .gitignore."
                ) from error

    def ignores(self, path: bytes, *, folder: bool) -> bool:
        """Whether an entry is left alone; the folders above it were asked about before."""
        ignored = is_ignored_by_default(path.rpartition(b"/")[2])
        if self._own is None:
            return ignored
        said = self._own.check_file(os.fsdecode(path) + ("/" if folder else "")).include
        return ignored if said is None else said

    def reason(self, path: bytes) -> str:
        """Why an entry is left alone."""
        name = path.rpartition(b"/")[2]
        for pattern, because in DEFAULT.items():
            if fnmatch.fnmatchcase(name, pattern.encode()):
                return f"{pattern} is left alone by default: {because}."
        return "A pattern of the watch leaves it alone."

    def hides(self, folder: bytes) -> bool:
        """Whether a folder, or one above it, is left alone."""
        parts = folder.split(b"/") if folder else []
        return any(self.ignores(b"/".join(parts[:length]), folder=True) for length in range(1, len(parts) + 1))
