"""What keeps a whole file from being imported."""

from __future__ import annotations

from nephos.lib import errors


class NotReadable(errors.Invalid):
    """That file cannot be read as YAML."""


class NotKnown(errors.Invalid):
    """That file is none of the kinds that can be imported."""
