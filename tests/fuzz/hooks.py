"""What is made worse inside the engine's process: its clock steps, its disks fill up. Only the fuzzer asks for it.

Files count as big sooner here, so that small ones meet all that happens to big ones.
"""

from __future__ import annotations

import errno
import os
import random
import time
from pathlib import Path

from nephos.lib import files
from nephos.sync.connections import file
from nephos.sync.connections.s3 import multipart
from nephos.sync.connections.sftp import upload

FAR = "far-"
"""A folder called so is a far side; the file of its name and `.trouble` says what its disk does."""

_KIB = 1 << 10


def install() -> None:
    """From now on, in this process."""
    file._STEP_BYTES = 256 * _KIB
    upload._JOURNALLED_BYTES = 256 * _KIB
    multipart._LEAST_PART_BYTES = 256 * _KIB
    _shift_the_clock(Path(os.environ["NEPHOS_FUZZ_CLOCK"]))
    _trouble_the_disks()


def _shift_the_clock(place: Path) -> None:
    true = time.time
    known = [0.0, 0.0]  # when it was looked at last, and the offset

    def shifted() -> float:
        if time.monotonic() - known[0] > 0.05:
            known[:] = time.monotonic(), float(place.read_text())
        return true() + known[1]

    time.time = shifted
    time.time_ns = lambda: int(shifted() * 1e9)


def _trouble_the_disks() -> None:
    append = files.append_range

    def troubled(source: Path, handle: int, *, start: int, length: int) -> int:
        trouble = _trouble_of(Path(f"/proc/self/fd/{handle}").readlink())
        if trouble and random.random() < 0.5:
            append(source, handle, start=start, length=length // 2)
            raise OSError(trouble, os.strerror(trouble))
        return append(source, handle, start=start, length=length)

    files.append_range = troubled


def _trouble_of(place: Path) -> int:
    far = next((folder for folder in place.parents if folder.name.startswith(FAR)), None)
    if far is None or not (note := far.with_name(far.name + ".trouble")).exists():
        return 0
    return int(getattr(errno, note.read_text().strip() or "EIO"))
