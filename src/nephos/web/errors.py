"""What can go wrong at the doors."""

from nephos.lib import errors


class NotSignedIn(errors.NotAllowed):
    """You are not signed in."""

    http_status = 401


class LinkSpent(errors.NotAllowed):
    """This login link was used before, has expired or never was one."""


class WrongPassword(errors.NotAllowed):
    """Name and password do not fit together."""

    http_status = 401


class TooManyTries(errors.NotAllowed):
    """Too many wrong passwords; wait a moment."""

    http_status = 429


class UnknownUser(errors.NotFound):
    """There is no such account."""


class UnknownToken(errors.NotFound):
    """There is no such token."""


class UserTaken(errors.NotNow):
    """There is an account of that name already."""


class LastAdmin(errors.NotNow):
    """This is the last account that may administer the station."""


class PortTaken(errors.NotNow):
    """The address of the page is in use by another program."""


class DatabaseNewer(errors.NotNow):
    """The database was made by a newer version of Nephos."""
