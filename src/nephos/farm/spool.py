"""What attempts print, one file each, of bounded size."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from pathlib import Path

_FILE_BYTES = 2 << 20


def append(folder: Path, attempt: str, lines: Sequence[str]) -> None:
    """Add lines; a full file becomes `.1` and the one before that is dropped."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{attempt}.log"
    if path.exists() and path.stat().st_size > _FILE_BYTES:
        path.replace(folder / f"{attempt}.log.1")
    with path.open("a", encoding="utf-8", errors="replace") as stream:
        stream.writelines(f"{_plain(line)}\n" for line in lines)


def read(folder: Path, attempt: str, *, limit: int = 1000) -> list[str]:
    """The last lines of an attempt."""
    lines: deque[str] = deque(maxlen=limit)
    for path in (folder / f"{attempt}.log.1", folder / f"{attempt}.log"):
        if path.exists():
            with path.open(encoding="utf-8", errors="replace") as stream:
                lines.extend(line.rstrip("\n") for line in stream)
    return list(lines)


def remove(folder: Path, attempt: str) -> None:
    """Forget what an attempt printed."""
    for path in (folder / f"{attempt}.log.1", folder / f"{attempt}.log"):
        path.unlink(missing_ok=True)


def _plain(line: str) -> str:
    return "".join(c if c.isprintable() or c == "\t" else "\N{REPLACEMENT CHARACTER}" for c in line)
