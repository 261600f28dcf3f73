"""What can be wrong with a source."""

from __future__ import annotations

from datetime import timedelta

from nephos.lib import errors


class AddressInvalid(errors.Invalid):
    """That is no address that can be received."""


class SourceError(errors.NephosError):
    """The source cannot be received now."""

    exit_code = errors.ExitCode.NOT_NOW
    http_status = 409
    permanent = False
    retry_after = timedelta(seconds=2)


class InterfaceMissing(SourceError):
    """There is no such network interface."""


class AddressTaken(SourceError):
    """Another program receives on this address already."""
