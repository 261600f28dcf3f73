"""Identifiers that sort by time of birth and cannot be guessed."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Iterator

from nephos.lib import clock

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no i, l, o, u


def _base32(number: int, width: int) -> str:
    digits = ""
    for _ in range(width):
        number, digit = divmod(number, 32)
        digits = _ALPHABET[digit] + digits
    return digits


def new() -> str:
    """A fresh id of 20 characters: 9 of milliseconds since 1970, 11 of chance."""
    return _base32(int(clock.unix() * 1000), 9) + _base32(secrets.randbits(55), 11)


def series() -> Iterator[str]:
    """Ids that share one draw of chance and are counted: for those who need thousands a second."""
    born = new()
    return (f"{born}-{number}" for number in itertools.count(1))


def secret() -> str:
    """A token for a door: 43 characters, 256 bits."""
    return secrets.token_urlsafe(32)
