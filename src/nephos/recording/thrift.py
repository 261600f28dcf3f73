"""Puts a recording together where there is no space for a second copy: a segment goes as soon as its bytes are safe.

For one segment after the other: its bytes are appended and made durable, read back and compared, and noted in a ledger
that is made durable too; only then is the segment removed. So at any moment every byte is in a segment or, noted, in
the joined file, and the space that it takes besides is that of one segment. `.STEM.join.partial` is the ledger: a line
of what is to be joined, with all that the journals told, then a line for each segment that is in. As long as it is
there it is what counts: what it tells of cannot be cut out anew.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nephos.lib import files
from nephos.recording import cuts, errors, join

MayGo = Callable[[Path], bool]
_LONGEST_NOTE = 4096


@dataclass(frozen=True, slots=True)
class Ledger:
    """What is to be joined, and the hashes of the parts that are in."""

    manifest: dict[str, Any]
    parts: tuple[cuts.Part, ...]
    done: tuple[str, ...]


def peak_bytes(parts: Sequence[cuts.Part], may_go: MayGo) -> int:
    """The most space that joining takes besides what the segments take now."""
    used = peak = 0
    for part in parts:
        used += part.length
        peak = max(peak, used)
        if may_go(part.path):
            used -= part.path.stat().st_size
    return peak


def begin(place: join.Place, manifest: dict[str, Any], parts: Sequence[cuts.Part]) -> Ledger:
    """From now on the ledger counts. Raises OSError."""
    told = [[str(part.path), part.start, part.length] for part in parts]
    files.write_atomic(place.ledger, _line({"manifest": manifest, "parts": told}))
    return Ledger(manifest, tuple(parts), ())


def read(place: join.Place) -> Ledger | None:
    """The ledger, None if there is none. A line that was torn by a kill does not count."""
    try:
        first, *lines = place.ledger.read_bytes().split(b"\n")[:-1]
    except (FileNotFoundError, ValueError):
        return None
    told = json.loads(first)
    parts = tuple(cuts.Part(Path(path), start, length) for path, start, length in told["parts"])
    return Ledger(told["manifest"], parts, tuple(json.loads(line)["sha256"] for line in lines))


def assemble(place: join.Place, ledger: Ledger, *, may_go: MayGo) -> join.Joined:
    """Go on where it stopped. Raises SealBroken if what is there is not what the ledger says, or OSError."""
    offset = 0
    for number, part in enumerate(ledger.parts):
        if number >= len(ledger.done):
            _note(place, _taken(place, part, offset))
        if may_go(part.path):
            part.path.unlink(missing_ok=True)
            part.path.with_suffix(".jsonl").unlink(missing_ok=True)
        offset += part.length
    joined = join.hashed(place.partial, ledger.parts)
    noted = read(place)
    if noted is None or [piece.sha256 for piece in joined.pieces] != list(noted.done):
        raise errors.SealBroken(f"{place.partial} is not what was put into it.")
    return joined


def document(ledger: Ledger, joined: join.Joined) -> dict[str, Any]:
    """The manifest, with what is known when all is in."""
    pieces = [{"name": p.name, "offset": p.offset, "bytes": p.bytes, "sha256": p.sha256} for p in joined.pieces]
    return ledger.manifest | {"bytes": joined.bytes, "sha256": joined.sha256, "segments": pieces}


def _taken(place: join.Place, part: cuts.Part, offset: int) -> str:
    """Append one part and make it durable; its hash."""
    handle = os.open(place.partial, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o644)
    try:
        if os.fstat(handle).st_size < offset:
            raise errors.SealBroken(f"{place.partial} became shorter than what was put into it.")
        os.ftruncate(handle, offset)
        os.lseek(handle, offset, os.SEEK_SET)
        if files.append_range(part.path, handle, start=part.start, length=part.length) != part.length:
            raise errors.SealBroken(f"Segment {part.path.name} became shorter while it was joined.")
        os.fsync(handle)
    finally:
        os.close(handle)
    files.sync_folder(place.folder)
    wanted = _hash(part.path, part.start, part.length)
    if _hash(place.partial, offset, part.length) != wanted:
        raise errors.SealBroken(f"{place.partial} does not hold what segment {part.path.name} holds.")
    return wanted


def _hash(source: Path, start: int, length: int) -> str:
    made = hashlib.sha256()
    for block in files.chunks(source, start=start, length=length):
        made.update(block)
    return made.hexdigest()


def _note(place: join.Place, sha256: str) -> None:
    handle = os.open(place.ledger, os.O_RDWR | getattr(os, "O_BINARY", 0))
    try:
        size = os.fstat(handle).st_size
        start = max(0, size - _LONGEST_NOTE)
        os.lseek(handle, start, os.SEEK_SET)
        whole = start + os.read(handle, _LONGEST_NOTE).rfind(b"\n") + 1
        os.ftruncate(handle, whole)  # a torn line
        os.lseek(handle, whole, os.SEEK_SET)
        os.write(handle, _line({"sha256": sha256}))
        os.fsync(handle)
    finally:
        os.close(handle)


def _line(entry: dict[str, Any]) -> bytes:
    return json.dumps(entry, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
