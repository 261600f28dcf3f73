"""Segments become one file under its final name: by bytes, never over another file, and safe to repeat after a kill.

Steps, each of which leaves a state from which the next run goes on:

1. `.STEM.ts.partial` is joined and made durable; a kill here means to join again.
2. `.STEM.manifest.partial` is the seal: with it the partial file is whole, and its hashes are known.
3. Both get their final names as second links (a taken name gets `-2`). A link to our own file is ours, so a repeated
   run finds the name it took before.
4. When the database knows, the hidden names are removed.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nephos.lib import files
from nephos.recording import cuts, errors

_MOST_NAMES = 10_000


@dataclass(frozen=True, slots=True)
class Place:
    """Where a recording goes, and the hidden names on the way."""

    folder: Path
    stem: str

    @property
    def partial(self) -> Path:
        return self.folder / f".{self.stem}.ts.partial"

    @property
    def seal(self) -> Path:
        return self.folder / f".{self.stem}.manifest.partial"

    @property
    def ledger(self) -> Path:
        return self.folder / f".{self.stem}.join.partial"

    def names(self) -> Iterator[Published]:
        """The final names in the order in which they are tried."""
        for number in range(1, _MOST_NAMES):
            stem = self.stem if number == 1 else f"{self.stem}-{number}"
            yield Published(self.folder / f"{stem}.ts", self.folder / f"{stem}.manifest.json")


@dataclass(frozen=True, slots=True)
class Published:
    """The final names."""

    stream: Path
    manifest: Path


@dataclass(frozen=True, slots=True)
class Piece:
    """What one segment gave to the joined file."""

    name: str
    offset: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Joined:
    """The joined file."""

    bytes: int
    sha256: str
    pieces: tuple[Piece, ...]


@dataclass(slots=True)
class Sums:
    """Hashes of what is in the partial file already: of all of it, and of each part."""

    bytes: int = 0
    whole: hashlib._Hash = field(default_factory=hashlib.sha256)
    parts: list[hashlib._Hash] = field(default_factory=list)

    def begin_part(self) -> None:
        """What is added from now on belongs to the next part."""
        self.parts.append(hashlib.sha256())

    def add(self, joined: Path, length: int) -> None:
        """Take in the next bytes, as they are read from the file. Raises OSError."""
        for block in files.chunks(joined, start=self.bytes, length=length):
            self.whole.update(block)
            self.parts[-1].update(block)
            self.bytes += len(block)


def assemble(place: Place, parts: Sequence[cuts.Part], *, already: Sums | None = None) -> Joined:
    """Write the partial file and hash it, going on from what was put there while the recording was on the air.

    Raises SealBroken if a segment is shorter than it was, or OSError.
    """
    sums = already or Sums()
    handle = os.open(place.partial, os.O_WRONLY | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o644)
    try:
        os.ftruncate(handle, sums.bytes)
        os.lseek(handle, sums.bytes, os.SEEK_SET)
        for part in _rest(parts, sums.bytes):
            if files.append_range(part.path, handle, start=part.start, length=part.length) != part.length:
                raise errors.SealBroken(f"Segment {part.path.name} became shorter while it was joined.")
        os.fsync(handle)
    finally:
        os.close(handle)
    return hashed(place.partial, parts, sums)


def _rest(parts: Sequence[cuts.Part], already: int) -> Iterator[cuts.Part]:
    for part in parts:
        done = min(already, part.length)
        already -= done
        if done < part.length:
            yield cuts.Part(part.path, part.start + done, part.length - done)


def hashed(joined: Path, parts: Sequence[cuts.Part], already: Sums | None = None) -> Joined:
    """Read a joined file, or what was not read of it yet."""
    sums = already or Sums()
    pieces: list[Piece] = []
    offset = 0
    for number, part in enumerate(parts):
        if number == len(sums.parts):
            sums.begin_part()
        offset += part.length
        sums.add(joined, max(0, offset - sums.bytes))
        pieces.append(Piece(part.path.name, offset - part.length, part.length, sums.parts[number].hexdigest()))
    return Joined(offset, sums.whole.hexdigest(), tuple(pieces))


def write_seal(place: Place, manifest: dict[str, Any]) -> None:
    """Say that the partial file is whole."""
    files.write_atomic(place.seal, json.dumps(manifest, ensure_ascii=False, separators=(",", ":")) + "\n")


def read_seal(place: Place) -> dict[str, Any] | None:
    """The manifest of a partial file that is whole, None if there is none of either."""
    manifest = files.read_json(place.seal)
    if not isinstance(manifest, dict):
        return None
    with contextlib.suppress(FileNotFoundError):
        return manifest if place.partial.stat().st_size == manifest.get("bytes") else None
    return manifest if any(_is_ours(place, names.stream) for names in _taken(place)) else None


def publish(place: Place) -> Published:
    """Give the sealed file its final names. A second call finds the same ones. Raises OSError."""
    for names in place.names():
        if not _claim(place, place.partial, names.stream):
            continue
        if _claim(place, place.seal, names.manifest):
            files.sync_folder(place.folder)
            return names
        if place.partial.exists():  # somebody else's manifest is there: this name is not free
            names.stream.unlink()
    raise errors.SealBroken(f"There is no free name for {place.stem}.")


def forget(place: Place) -> None:
    """Remove the hidden names; the final ones stay."""
    place.partial.unlink(missing_ok=True)
    place.seal.unlink(missing_ok=True)
    place.ledger.unlink(missing_ok=True)


def _claim(place: Place, source: Path, target: Path) -> bool:
    """Make the target a name of the source; False if another file has that name."""
    try:
        os.link(source, target)
    except FileExistsError:
        return _is_ours(place, target)
    except FileNotFoundError:
        return _is_ours(place, target)  # renamed by an earlier run, where there are no links
    except OSError:
        return _claim_without_links(place, source, target)
    return True


def _claim_without_links(place: Place, source: Path, target: Path) -> bool:
    if os.path.lexists(target):
        return _is_ours(place, target)
    if target.suffix == ".json":  # the seal is needed to the end
        files.write_atomic(target, source.read_bytes())
    else:
        source.rename(target)
    return True


def _is_ours(place: Place, target: Path) -> bool:
    for source in (place.partial, place.seal):
        with contextlib.suppress(FileNotFoundError):
            if source.samefile(target):
                return True
    return _has_our_content(place, target)


def _has_our_content(place: Place, target: Path) -> bool:
    """For file systems without links, where an earlier run moved the file."""
    try:
        if target.suffix == ".json":
            return target.read_bytes() == place.seal.read_bytes()
        if place.partial.exists():
            return False
        manifest = files.read_json(place.seal) or {}
        return bool(target.stat().st_size == manifest.get("bytes") and files.sha256(target) == manifest.get("sha256"))
    except FileNotFoundError:
        return False


def _taken(place: Place) -> Iterator[Published]:
    for names in place.names():
        if not os.path.lexists(names.stream):
            return
        yield names
