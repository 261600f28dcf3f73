"""What can go wrong with problems and with telling people."""

from __future__ import annotations

from datetime import timedelta

from nephos.lib import errors


class UnknownProblem(errors.NotFound):
    """There is no such problem."""


class NoMail(errors.NotNow):
    """The settings name no mail server."""


class NoWebhook(errors.NotFound):
    """There is no such webhook."""


class NotTold(errors.Unreachable):
    """The other side cannot be reached just now."""

    retry_after = timedelta(seconds=15)


class NotYet(NotTold):
    """The other side does not take this message just now; others it may."""


class Refused(errors.NephosError):
    """The other side does not take this message, now or later."""
