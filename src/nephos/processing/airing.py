"""What the manifest of a recording says that its pictures do not: when it was on the air, and where it has holes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from nephos.lib import clock, files
from nephos.processing import errors


@dataclass(frozen=True, slots=True)
class Airing:
    """Times of a recording; a plain file has no manifest and so no gaps."""

    recorded_from: datetime | None
    gaps_seconds: tuple[float, ...]


def read(path: Path | None) -> Airing:
    """Read a manifest. Raises ProcessingError if it was named and cannot be used."""
    if path is None:
        return Airing(recorded_from=None, gaps_seconds=())
    document = files.read_json(path)
    try:
        return _parse(document)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise errors.ProcessingError(f"The manifest {path.name} of the recording cannot be read.") from error


def _parse(document: Any) -> Airing:
    begun, ended = document.get("recorded_from"), document.get("recorded_to")
    if not begun or not ended:
        return Airing(recorded_from=None, gaps_seconds=())
    gaps = [(clock.parse(gap["start"]), float(gap["seconds"])) for gap in document["gaps"]]
    first, last = clock.parse(begun), clock.parse(ended)
    # What was missed before the first byte or after the last one is no hole in the file.
    inside = tuple(seconds for start, seconds in gaps if first <= start < last)
    return Airing(recorded_from=first, gaps_seconds=inside)
