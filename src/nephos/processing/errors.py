"""What can go wrong in processing."""

from __future__ import annotations

from nephos.lib import errors


class ProcessingError(errors.NephosError):
    """That could not be processed."""


class NotMedia(ProcessingError):
    """This file holds nothing that can be played."""


class Unplayable(ProcessingError):
    """No playable video could be made of this file."""


class ToolFailed(ProcessingError):
    """A media tool ended with an error."""

    permanent = False


class UnknownPipeline(errors.Invalid):
    """There is no such pipeline."""


class NoSource(errors.NotNow):
    """The asset has no file that could be processed."""
