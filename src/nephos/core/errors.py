"""Errors of rows and their states."""

from nephos.lib import errors


class ForbiddenMove(errors.NotNow):
    """That is not possible in this state."""


class StaleState(errors.NotNow):
    """Somebody else changed this a moment ago."""

    permanent = False
