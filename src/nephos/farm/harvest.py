"""What a step made: read its list, prove it, make it durable."""

from __future__ import annotations

import os
from pathlib import Path

from nephos.farm import errors, ledger
from nephos.lib import files

LIST = "outputs.json"
FOLDER = "out"  # below the attempt's folder: where the outputs wait for their publication


def gather(working_folder: Path | None, attempt_folder: Path) -> list[ledger.Output]:
    """Check the outputs of a step that ended well and set them aside for publication.

    A template that lists nothing has no outputs. Raises BadOutputs if the list is wrong or a file is not what it says.
    """
    if working_folder is None:
        return []
    listed = working_folder / LIST
    entries = files.read_json(listed)
    if entries is None and listed.exists():
        raise errors.BadOutputs("The outputs.json that the step wrote is not JSON.")
    if not isinstance(entries, list | None):
        raise errors.BadOutputs("outputs.json must be a list.")
    outputs = [ledger.parse_output(entry) for entry in entries or []]
    for output in outputs:
        _prove(working_folder / output.path, output)
    aside = attempt_folder / FOLDER
    working_folder.rename(aside)
    files.sync_folder(attempt_folder)
    return outputs


def _prove(path: Path, output: ledger.Output) -> None:
    if path.is_symlink() or not path.is_file():
        raise errors.BadOutputs(f"The step lists {output.path}, but there is no such file.")
    size = path.stat().st_size
    if size != output.bytes:
        raise errors.BadOutputs(f"The step says that {output.path} has {output.bytes} bytes, but it has {size}.")
    handle = os.open(path, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
