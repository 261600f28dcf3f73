"""What can be wrong with the settings and the home folder."""

from nephos.lib import errors


class ConfigError(errors.Invalid):
    """The settings cannot be used."""


class HomeUnusable(errors.NephosError):
    """The home folder cannot be used."""

    exit_code = errors.ExitCode.NOT_NOW
    http_status = 409


class SecretMissing(errors.NephosError):
    """A secret that the settings refer to is not there."""

    exit_code = errors.ExitCode.NOT_NOW
    http_status = 409
