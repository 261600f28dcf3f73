"""What keeps a station from starting or stopping."""

from nephos.lib import errors


class PortTaken(errors.NotNow):
    """Another program uses that port."""


class NotPrepared(errors.NotNow):
    """The database could not be brought up to date."""


class RecordingRuns(errors.NotNow):
    """A recording is running."""


class NotRunning(errors.NotNow):
    """The station is not running."""


class DidNotStop(errors.TimedOut):
    """The station did not stop in time."""
