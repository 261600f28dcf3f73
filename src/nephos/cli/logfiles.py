"""The log files of a home, read from their ends and followed: lines of any format, in order of time."""

from __future__ import annotations

import heapq
import json
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

LEVELS = ("debug", "info", "warning", "error", "critical")

_LINE = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) (debug|info|warning|error|critical) +([\w.]+): (.*)")
_LONGEST_TAIL = 64 << 20
_USUAL_LINE = 400


@dataclass(frozen=True, slots=True)
class Record:
    """One record; `text` is as it stands in the file, a trace below it included."""

    at: str
    level: str
    module: str
    message: str
    text: str
    source: str = ""


def find(folder: Path, name: str, *, debug: bool) -> list[Path]:
    """Files with the log of a role or of a package; all roles' for no name; empty if there are none."""
    if not name:
        return sorted(path for path in folder.glob("*.log") if path.name != "start.log")
    if not name.isidentifier():  # a file of another folder is no log
        return []
    role = folder / f"{name}.log"
    package = [path for path in sorted((folder / "debug").glob("*.log")) if path.name.partition(".")[0] == name]
    if role.exists() and not (debug and package):
        return [role]
    return package


def names(folder: Path) -> list[str]:
    """Roles and packages that have a log."""
    roles = {path.stem for path in folder.glob("*.log")} - {"start"}
    return sorted(roles | {path.name.partition(".")[0] for path in (folder / "debug").glob("*.log")})


def last(paths: Iterable[Path], *, count: int, level: str = "") -> list[Record]:
    """The newest records of some files that are at least of a level, oldest first."""
    found: list[Record] = []
    for path in paths:
        for enough in (max(count, 50) * _USUAL_LINE, _LONGEST_TAIL):
            records, whole = _tail(path, enough)
            kept = [record for record in records if wanted(record, level)]
            if whole or len(kept) >= count:
                break
        found = list(heapq.merge(found, kept[-count:], key=lambda record: record.at))
    return found[-count:]


def wanted(record: Record, level: str) -> bool:
    """Whether a record is at least of a level."""
    return not level or LEVELS.index(record.level) >= LEVELS.index(level)


def parse(lines: Iterable[str], source: str = "") -> Iterator[Record]:
    """Records of lines; lines that begin none belong to the one before."""
    record: Record | None = None
    for line in lines:
        fresh = _record(line, source)
        if fresh is None:
            if record is not None:
                record = replace(record, text=f"{record.text}\n{line}")
            continue
        if record is not None:
            yield record
        record = fresh
    if record is not None:
        yield record


class Follower:
    """What is added to some files, through rotations."""

    def __init__(self, paths: Iterable[Path]) -> None:
        self._files = {path: _Growing(path) for path in paths}

    def more(self) -> list[Record]:
        """Records that came since the last call, in order of time within it."""
        batches = [list(parse(growing.lines(), path.stem)) for path, growing in self._files.items()]
        return list(heapq.merge(*batches, key=lambda record: record.at))

    def close(self) -> None:
        """Close the files."""
        for growing in self._files.values():
            growing.close()


class _Growing:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._stream: BinaryIO | None = None
        self._rest = b""
        self._open(at_end=True)

    def _open(self, *, at_end: bool) -> None:
        try:
            self._stream = self._path.open("rb")
        except FileNotFoundError:
            self._stream = None
            return
        if at_end:
            self._stream.seek(0, 2)

    def lines(self) -> list[str]:
        """Whole lines since the last call."""
        raw = self._rest + self._read()
        if self._was_replaced():
            self.close()
            self._open(at_end=False)
            raw += self._read()
        *whole, self._rest = raw.split(b"\n")
        return [line.decode("utf-8", "replace") for line in whole]

    def _read(self) -> bytes:
        return self._stream.read() if self._stream is not None else b""

    def _was_replaced(self) -> bool:
        try:
            now = self._path.stat()
        except FileNotFoundError:
            return False  # between the two renames of a rotation
        if self._stream is None:
            return True
        mine = os.fstat(self._stream.fileno())
        return now.st_ino != mine.st_ino or now.st_size < self._stream.tell()

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()


def _tail(path: Path, length: int) -> tuple[list[Record], bool]:
    """Records at a file's end, and whether these are all there are; the file before the last rotation counts."""
    parts: list[bytes] = []
    left = length
    for part in (path, path.with_name(f"{path.name}.1")):
        try:
            with part.open("rb") as stream:
                size = stream.seek(0, 2)
                stream.seek(max(0, size - left))
                parts.insert(0, stream.read(left))
        except FileNotFoundError:
            continue
        left -= size
        if left <= 0:
            break
    lines = b"".join(parts).decode("utf-8", "replace").splitlines()
    return list(parse(lines, path.stem)), left > 0


def _record(line: str, source: str) -> Record | None:
    if line.startswith("{"):
        return _of_json(line, source)
    match = _LINE.match(line)
    if match is None:
        return None
    at, level, module, message = match.groups()
    return Record(at, level, module, message, line, source)


def _of_json(line: str, source: str) -> Record | None:
    try:
        entry = json.loads(line)
        level, at = str(entry["level"]), str(entry["at"])
    except (ValueError, KeyError, TypeError):
        return None
    if level not in LEVELS:
        return None
    module = str(entry.get("module", "")).removeprefix("nephos.")
    return Record(at, level, module, str(entry.get("message", "")), line, source)
