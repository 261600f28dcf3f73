"""The hidden name under which a file is written beside its place, until it is whole."""

from __future__ import annotations

import hashlib
import os

_MOST_BYTES = 200  # of a name; with transfer and ending it stays under 255


def name(final: str, transfer: str) -> str:
    """`.clip.mp4.01k...part`; a long name is replaced by its sum."""
    raw = os.fsencode(final)
    short = final if len(raw) <= _MOST_BYTES else hashlib.sha256(raw).hexdigest()
    return f".{short}.{transfer}.part"


def is_one(final: str) -> bool:
    """Whether a name is one that was made here."""
    return final.startswith(".") and final.endswith(".part")
