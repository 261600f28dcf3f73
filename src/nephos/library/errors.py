"""What can go wrong with channels, shares and assets."""

from nephos.lib import errors


class UnknownChannel(errors.NotFound):
    """There is no such channel."""


class UnknownShare(errors.NotFound):
    """There is no such share."""


class UnknownAsset(errors.NotFound):
    """There is no such asset."""


class Taken(errors.NotNow):
    """That name or address is in use."""


class StillNeeded(errors.NotNow):
    """Something else still needs this."""
