"""Looks through a folder: which files are there and what their fingerprints are."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field

from nephos.sync import errors, names, patterns
from nephos.sync.fingerprints import Fingerprint

Meanwhile = Callable[[dict[bytes, Fingerprint]], object]

_PLAIN = patterns.Patterns()
_PART = 2_000


@dataclass(slots=True)
class Scan:
    """What was found, by path below the root. Incomplete if a folder could not be read: then nothing is known gone."""

    found: dict[bytes, Fingerprint] = field(default_factory=dict)
    complete: bool = True
    strange: int = 0  # links, sockets, devices: they are not followed and not sent


def scan(
    root: bytes,
    *,
    below: bytes = b"",
    deep: bool = True,
    ignore: patterns.Patterns | None = None,
    meanwhile: Meanwhile | None = None,
) -> Scan:
    """Regular files below a folder of the root; links are not followed. Raises FolderGone if the root is not there.

    `meanwhile` is told a few thousand at a time, so that they can be written down while the scan goes on.
    """
    if not os.path.isdir(root):  # noqa: PTH112 - bytes
        raise errors.FolderGone(f"The folder {names.shown(root)} is not there.")
    result = Scan()
    folders = [] if (ignore or _PLAIN).hides(below) else [below]
    part: dict[bytes, Fingerprint] = {}
    while folders:
        folder = folders.pop()
        inner = _look_into(root, folder, ignore or _PLAIN, result, part)
        if deep:
            folders += inner
        if meanwhile is not None and len(part) >= _PART:
            meanwhile(part)
            result.found |= part
            part = {}
    result.found |= part
    return result


def _look_into(
    root: bytes, folder: bytes, ignore: patterns.Patterns, result: Scan, found: dict[bytes, Fingerprint]
) -> list[bytes]:
    inner: list[bytes] = []
    above = folder + b"/" if folder else b""
    plain, ignored = ignore.is_plain, patterns.is_ignored_by_default
    try:
        with os.scandir(root + b"/" + folder if folder else root) as entries:
            for entry in entries:
                name = entry.name
                path = above + name
                is_folder = entry.is_dir(follow_symlinks=False)
                if ignored(name) if plain else ignore.ignores(path, folder=is_folder):
                    continue
                if is_folder:
                    inner.append(path)
                else:
                    _sort_in(entry, path, result, found)
    except (FileNotFoundError, NotADirectoryError):
        return []  # it went while we looked
    except OSError:
        result.complete = False
    return inner


def _sort_in(entry: os.DirEntry[bytes], path: bytes, result: Scan, found: dict[bytes, Fingerprint]) -> None:
    if not entry.is_file(follow_symlinks=False):
        result.strange += 1
        return
    try:
        status = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return
    found[path] = Fingerprint(status.st_size, status.st_mtime_ns, status.st_ino)
