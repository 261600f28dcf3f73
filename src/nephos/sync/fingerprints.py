"""What tells one version of a file from another without reading it."""

from __future__ import annotations

import os
import stat
from typing import NamedTuple

from nephos.sync import errors, ports


class Fingerprint(NamedTuple):
    """Size, time of change and inode. The device is left out: its number changes over a reboot.

    A tuple, because a scan makes hundreds of thousands: it costs a quarter of a frozen dataclass.
    """

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
    size, mtime, inode = text.split(":")
    return Fingerprint(int(size), int(mtime), int(inode))


def take(path: str | bytes | os.PathLike[str]) -> Fingerprint:
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


def take_closely(path: str | bytes | os.PathLike[str]) -> tuple[Fingerprint, ports.Writer]:
    """The same and who writes to it, by one opening. Raises SourceGone, SourceUnreadable."""
    try:
        handle = ports.open_for_look(path)
    except OSError:
        return take(path), ports.Writer.UNKNOWN  # what cannot be opened may still be seen
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise errors.SourceUnreadable("It is no regular file.")
        return of(status), ports.writer_of(handle)
    finally:
        os.close(handle)
