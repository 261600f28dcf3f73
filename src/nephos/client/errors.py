"""What a station answered when it said no, as the error that was raised over there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nephos.lib import errors

_BY_STATUS: Mapping[int, type[errors.NephosError]] = {
    400: errors.Invalid,
    401: errors.NotAllowed,
    403: errors.NotAllowed,
    404: errors.NotFound,
    405: errors.Invalid,
    409: errors.NotNow,
    413: errors.Invalid,
    415: errors.Invalid,
    422: errors.Invalid,
    502: errors.Unreachable,
    503: errors.Unreachable,
    504: errors.TimedOut,
}


class StationUnreachable(errors.Unreachable):
    """The station cannot be reached."""


class NoStation(errors.Unreachable):
    """What answered there is no Nephos station."""


def from_problem(status: int, document: Mapping[str, Any]) -> errors.NephosError:
    """The error behind a problem document (RFC 9457), with its sentence and hint."""
    kind = _BY_STATUS.get(status, errors.NephosError)
    sentence = str(document.get("detail") or document.get("title") or f"The station answered {status}.")
    return kind(sentence, hint=str(document.get("hint") or ""))
