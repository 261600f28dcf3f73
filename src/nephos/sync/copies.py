"""Copies of files on which a watch's processes work before the copy is sent; the file itself is never touched."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from nephos.plugins import runner
from nephos.sync import errors, fingerprints, paths
from nephos.sync.fingerprints import Fingerprint


class Copies:
    """Where one destination keeps its copies, and who works on them."""

    def __init__(self, folder: Path, plugins: Path) -> None:
        self.plugins = plugins
        self._folder = folder
        self._runner = runner.Runner(plugins)

    def made(self, row: paths.PathRow, processes: tuple[str, ...], version: Fingerprint) -> Path:
        """The processed copy of this version. Raises SourceGone, SourceChanged, PluginRefused."""
        name = os.path.basename(os.fsdecode(row.path))  # noqa: PTH119 - bytes
        place = self._folder / str(row.id) / f"{version.mtime_ns}-{version.size_bytes}" / name
        done = place.parent / ".done"
        if done.exists() and place.is_file():
            return place
        self.drop(row.id)
        place.parent.mkdir(parents=True)
        try:
            shutil.copy2(os.fsdecode(row.source), place)
        except FileNotFoundError as error:
            raise errors.SourceGone from error
        except OSError as error:
            raise errors.SourceUnreadable(f"No copy of the file could be made: {error}.") from error
        if fingerprints.take(row.source) != version:
            raise errors.SourceChanged
        for process in processes:
            try:
                self._runner.process(process, place)
            except runner.PluginFailed as error:
                raise errors.PluginRefused(error.message) from error
        if not place.is_file():
            raise errors.PluginRefused(f"{processes[-1]} left no file behind.")
        done.touch()
        return place

    def drop(self, row_id: int) -> None:
        """The copy is no longer needed."""
        shutil.rmtree(self._folder / str(row_id), ignore_errors=True)

    def close(self) -> None:
        """End the process in which they ran."""
        self._runner.close()
