"""What can go wrong on the way. `permanent` holds the file for a person, anything else is tried again for ever.

`everywhere` says that the trouble is with the destination and not with one file: all its files wait together.
"""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from nephos.lib import errors


class SyncError(errors.NephosError):
    """The delivery failed."""

    everywhere: ClassVar[bool] = False


class Offline(SyncError):
    """The destination cannot be reached."""

    exit_code = errors.ExitCode.UNREACHABLE
    http_status = 503
    permanent = False
    everywhere = True
    retry_after = timedelta(seconds=1)


class Unusable(SyncError):
    """The destination cannot be used."""

    permanent = False
    everywhere = True


class Overloaded(SyncError):
    """The destination asks to slow down, or has trouble of its own."""

    permanent = False
    retry_after = timedelta(seconds=1)


class NotOffered(Overloaded):
    """The destination does not offer what was asked of it."""


class RemoteFull(SyncError):
    """The destination has no space left."""

    permanent = False
    everywhere = True
    retry_after = timedelta(minutes=15)


class NotWelcome(SyncError):
    """The destination does not let us in."""

    exit_code = errors.ExitCode.NOT_ALLOWED
    http_status = 403


class Refused(SyncError):
    """The destination refuses this file."""


class InTheWay(SyncError):
    """Something else is in the way at the destination; it is tried again."""

    permanent = False
    retry_after = timedelta(seconds=2)


class PluginRefused(SyncError):
    """A rule or process of config/plugins failed on this file, so it is neither sent nor dropped."""


class NameRefused(SyncError):
    """The destination cannot hold a file of this name."""


class NameTaken(SyncError):
    """Another file has this name at the destination already."""


class NotThere(SyncError):
    """The destination has no such file."""


class SourceGone(SyncError):
    """The file is no longer there."""


class SourceUnreadable(SyncError):
    """The file cannot be read."""


class SourceChanged(SyncError):
    """The file changed while it was sent; it is sent again when it is quiet."""

    permanent = False
    retry_after = timedelta(seconds=1)


class Mismatch(SyncError):
    """What arrived is not what was sent; it is sent again."""

    permanent = False
    retry_after = timedelta(seconds=1)


class UploadLost(SyncError):
    """The destination no longer knows the unfinished upload; it starts anew."""

    permanent = False
    retry_after = timedelta(0)


class Interrupted(SyncError):
    """Sending was stopped; it goes on where it stopped."""

    permanent = False
    retry_after = timedelta(0)


class Unforeseen(SyncError):
    """Something went wrong that nobody thought of; the log has it, and it is tried again."""

    permanent = False
    retry_after = timedelta(minutes=1)


class FolderGone(SyncError):
    """The watched folder is not there."""

    permanent = False


class JournalBroken(SyncError):
    """The sync journal cannot be written."""
