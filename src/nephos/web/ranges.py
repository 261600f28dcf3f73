"""`Range: bytes=...` of RFC 9110, one span at a time; pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ONE_SPAN = re.compile(r"bytes\s*=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*", re.IGNORECASE)


class Unsatisfiable(Exception):
    """The file holds nothing of what was asked for."""


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes `start` to `end`, both included."""

    start: int
    end: int

    @property
    def length(self) -> int:
        return self.end - self.start + 1

    def header(self, size: int) -> str:
        """The value of `Content-Range`."""
        return f"bytes {self.start}-{self.end}/{size}"


def parse(header: str, *, size: int) -> Span | None:
    """The span that was asked for; None means the whole file.

    What cannot be read is ignored, as the RFC wants it, and so are several spans at once: no player needs them.
    Raises Unsatisfiable.
    """
    match = _ONE_SPAN.fullmatch(header.strip())
    if match is None or match.group(1) == match.group(2) == "":
        return None
    first, last = match.groups()
    if first == "":
        return _suffix(int(last), size)
    start = int(first)
    end = min(int(last), size - 1) if last else size - 1
    if last and int(last) < start:
        return None
    if start >= size:
        raise Unsatisfiable
    return Span(start, end)


def _suffix(length: int, size: int) -> Span:
    if length == 0 or size == 0:
        raise Unsatisfiable
    return Span(max(0, size - length), size - 1)
