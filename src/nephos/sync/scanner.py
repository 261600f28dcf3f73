"""Looks through a folder: which files are there and what their fingerprints are."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field

from nephos.sync import errors, fingerprints, names
from nephos.sync.fingerprints import Fingerprint


@dataclass(slots=True)
class Scan:
    """What was found, by path below the root. Incomplete if a folder could not be read: then nothing is known gone."""

    found: dict[bytes, Fingerprint] = field(default_factory=dict)
    complete: bool = True


def scan(root: bytes, *, below: bytes = b"", deep: bool = True, ignore: Sequence[str] = ()) -> Scan:
    """Regular files below a folder of the root; links are not followed. Raises FolderGone if the root is not there."""
    if not os.path.isdir(root):  # noqa: PTH112 - bytes
        raise errors.FolderGone(f"The folder {names.shown(root)} is not there.")
    result = Scan()
    folders = [below]
    while folders:
        folder = folders.pop()
        inner = _look_into(root, folder, ignore, result)
        if deep:
            folders += inner
    return result


def _look_into(root: bytes, folder: bytes, ignore: Sequence[str], result: Scan) -> list[bytes]:
    inner: list[bytes] = []
    try:
        with os.scandir(os.path.join(root, folder) if folder else root) as entries:
            for entry in entries:
                path = folder + b"/" + entry.name if folder else entry.name
                if names.is_ignored(os.fsdecode(path), ignore):
                    continue
                _sort_in(entry, path, inner, result)
    except (FileNotFoundError, NotADirectoryError):
        return []  # it went while we looked
    except OSError:
        result.complete = False
    return inner


def _sort_in(entry: os.DirEntry[bytes], path: bytes, inner: list[bytes], result: Scan) -> None:
    try:
        if entry.is_dir(follow_symlinks=False):
            inner.append(path)
        elif entry.is_file(follow_symlinks=False):
            result.found[path] = fingerprints.of(entry.stat(follow_symlinks=False))
    except FileNotFoundError:
        pass
