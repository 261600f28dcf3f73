"""What tells one version of a file from another without reading it."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass

from nephos.sync import errors


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Size, time of change and inode. The device is left out: its number changes over a reboot."""

    size_bytes: int
    mtime_ns: int
    inode: int

    def __str__(self) -> str:
        return f"{self.size_bytes}:{self.mtime_ns}:{self.inode}"


def of(status: os.stat_result) -> Fingerprint:
    """The fingerprint in a stat."""
    return Fingerprint(status.st_size, status.st_mtime_ns, status.st_ino)


def parse(text: str | None) -> Fingerprint | None:
    """Read what `str` wrote; None stays None."""
    if text is None:
        return None
    size, mtime, inode = (int(part) for part in text.split(":"))
    return Fingerprint(size, mtime, inode)


def take(path: str | bytes) -> Fingerprint:
    """The fingerprint of a file now. Raises SourceGone, or SourceUnreadable for what is no regular file."""
    try:
        status = os.stat(path)  # noqa: PTH116 - bytes, and a Path costs more than the call
    except (FileNotFoundError, NotADirectoryError) as error:
        raise errors.SourceGone from error
    except (OSError, ValueError) as error:
        raise errors.SourceUnreadable(f"The file cannot be read: {error}.") from error
    if not stat.S_ISREG(status.st_mode):
        raise errors.SourceUnreadable("It is no regular file.")
    return of(status)
