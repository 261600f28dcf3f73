"""Names of files: which belong together, which cannot be sent, how they are shown."""

from __future__ import annotations

import os
from collections.abc import Iterable

_NO_NAMES = frozenset({"", ".", ".."})


def stems(names: Iterable[str]) -> dict[str, list[str]]:
    """Names of one folder by the stem they share: `a.mp4`, `a.srt` and `a.en.srt` go together as `a`."""
    found: dict[str, list[str]] = {}
    by_stem = [(os.path.splitext(name)[0], name) for name in names]  # noqa: PTH122
    for stem, name in sorted(by_stem, key=lambda pair: (len(pair[0]), pair)):
        home = next((known for known in _shorter(stem) if known in found), stem)
        found.setdefault(home, []).append(name)
    return {stem: sorted(members) for stem, members in found.items()}


def _shorter(stem: str) -> Iterable[str]:
    """`a.b.c` -> `a`, `a.b`, `a.b.c`"""
    parts = stem.split(".")
    return [".".join(parts[:length]) for length in range(1, len(parts) + 1)]


def refusal(relative: str) -> str:
    """Why a name can be no path below a destination; empty if it can."""
    parts = relative.split("/")
    if not relative or relative.startswith("/") or ("\\" in relative and os.name == "nt"):
        return "The name is empty or absolute."
    if not _NO_NAMES.isdisjoint(parts):
        return "The name has an empty part, '.' or '..'."
    if "\0" in relative:
        return "The name holds a NUL."
    return ""


def shown(raw: bytes | str) -> str:
    """For people and JSON: bytes that are no UTF-8 become `\\xNN`."""
    encoded = raw if isinstance(raw, bytes) else os.fsencode(raw)
    return encoded.decode("utf-8", "backslashreplace")
