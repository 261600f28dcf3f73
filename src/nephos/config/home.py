"""The home folder of a station and what lies where in it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from nephos.config import errors
from nephos.config.schema import Paths


@dataclass(frozen=True, slots=True)
class Home:
    """Absolute paths of one station. `[paths]` in the settings may move the four big folders elsewhere."""

    root: Path
    databases: Path
    logs: Path
    recordings: Path
    processed: Path

    @classmethod
    def at(cls, root: Path, paths: Paths | None = None) -> Home:
        """The layout below a root, with the folders that the settings moved."""
        root = Path(os.path.abspath(root.expanduser()))
        moved = paths or Paths()
        return cls(
            root=root,
            databases=_below(root, moved.databases),
            logs=_below(root, moved.logs),
            recordings=_below(root, moved.recordings),
            processed=_below(root, moved.processed),
        )

    @property
    def config(self) -> Path:
        return self.root / "config"

    @property
    def config_file(self) -> Path:
        return self.config / "nephos.toml"

    @property
    def plugins(self) -> Path:
        return self.config / "plugins"

    @property
    def run(self) -> Path:
        return self.root / "run"

    @property
    def asked(self) -> Path:
        """Questions of other processes to the keeper's checks."""
        return self.run / "asked"

    @property
    def database(self) -> Path:
        return self.databases / "nephos.db"

    @property
    def sync_database(self) -> Path:
        return self.databases / "sync.db"

    @property
    def plan_file(self) -> Path:
        """What the recorder obeys: the next 48 hours of bookings."""
        return self.run / "plan.json"

    @property
    def api_socket(self) -> Path:
        return self.run / "api.sock"

    @property
    def attempts(self) -> Path:
        """Where farm attempts write before their result is committed."""
        return self.processed / ".attempts"

    def folders(self) -> list[Path]:
        """All folders, parents first."""
        return [
            self.root,
            self.config,
            self.plugins,
            self.databases,
            self.logs,
            self.recordings,
            self.processed,
            self.attempts,
            self.run,
        ]

    def state_in(self, folder: Path) -> Path | None:
        """Our own state that lies in a folder, or around it; recordings and what is made of them are no such state."""
        chosen = Path(os.path.realpath(folder.expanduser()))
        for ours in (self.databases, self.config, self.logs, self.run, self.attempts):
            real = Path(os.path.realpath(ours))
            if real.is_relative_to(chosen) or chosen.is_relative_to(real):
                return ours
        return None

    def create(self) -> None:
        """Make the folders that are missing; safe to repeat.

        Raises HomeUnusable and leaves nothing half-made when the place cannot be written.
        """
        made: list[Path] = []
        try:
            for folder in self.folders():
                for missing in reversed([p for p in (folder, *folder.parents) if not p.exists()]):
                    missing.mkdir(mode=0o750)
                    made.append(missing)
                _prove_writable(folder)
        except OSError as error:
            for folder in reversed(made):
                folder.rmdir()
            raise errors.HomeUnusable(
                f"The home folder {self.root} cannot be used: {error.strerror or error}.",
                hint="Choose another with --home or NEPHOS_HOME, or give this user the right to write there.",
            ) from error


def default_root() -> Path:
    """`NEPHOS_HOME`, else `~/nephos`."""
    return Path(os.environ.get("NEPHOS_HOME") or Path.home() / "nephos")


def _below(root: Path, value: str) -> Path:
    return Path(os.path.abspath(root / Path(value).expanduser()))


def _prove_writable(folder: Path) -> None:
    probe = folder / f".write-test-{os.getpid()}"
    probe.touch()
    probe.unlink()
