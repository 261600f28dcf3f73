"""What was asked for on this command line besides the command itself."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from nephos.lib import errors


@dataclass(slots=True)
class Options:
    """What was asked for on this command line."""

    home: Path | None = None
    server: str = ""
    json: bool = False
    plain: bool = False
    quiet: bool = False
    verbose: bool = False

    @property
    def root(self) -> Path:
        """The home folder meant: `--home`, else `NEPHOS_HOME`, else `~/nephos`."""
        from nephos.config import home

        return self.home or home.default_root()

    @property
    def station(self) -> str:
        """URL of the station meant: `--server`, else `NEPHOS_SERVER`, else empty for the one of the home."""
        return self.server or os.environ.get("NEPHOS_SERVER", "")


current = Options()


def reset() -> None:
    """Forget the last command line (several run in one process in tests and in the console)."""
    for name, value in zip(Options.__slots__, (None, "", False, False, False, False), strict=True):
        setattr(current, name, value)


def here() -> Path:
    """The home folder, for commands that work on this machine alone. Raises Invalid if another station was named."""
    if current.server:
        raise errors.Invalid(
            "This command works on a home of this machine, not over --server.", hint="Give it there, or name a --home."
        )
    return current.root
