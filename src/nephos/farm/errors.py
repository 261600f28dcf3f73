"""What can go wrong on the farm."""

from __future__ import annotations

from nephos.lib import errors


class FarmError(errors.NephosError):
    """The farm could not do that."""


class BadTemplate(errors.Invalid):
    """That job template cannot be used."""


class BadParameters(errors.Invalid):
    """Those values do not fit the parameters of the template."""


class JobMissing(errors.NotFound):
    """There is no such job."""


class WorkerMissing(errors.NotFound):
    """There is no such worker."""


class BadOutputs(FarmError):
    """The list of what the step made is wrong."""


class GuardGone(FarmError):
    """The process that guards a slot has died."""

    permanent = False


class EngineMissing(errors.NotNow):
    """The engine of the farm is not installed."""


class NotPaused(errors.NotNow):
    """That job is not paused."""


class NotLoopback(errors.NotAllowed):
    """The engine may only listen on this machine."""


class EngineRefused(FarmError):
    """The engine of the farm does not start."""

    permanent = False
