"""Everything in a folder, and of what is left alone the reason. Slower than `scanner`, which only wants the files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

from nephos.sync import fingerprints, patterns
from nephos.sync.fingerprints import Fingerprint


@dataclass(frozen=True, slots=True)
class Found:
    """A file with its version, or something that is left alone."""

    path: bytes
    version: Fingerprint | None
    because: str = ""


def look(root: bytes, ignore: patterns.Patterns) -> Iterator[Found]:
    """Folders that are ignored are told and not looked into; links are not followed."""
    folders = [b""]
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(os.path.join(root, folder) if folder else root) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            yield Found(folder, None, f"The folder cannot be read: {error.strerror or error}.")
            continue
        for entry in found:
            path = folder + b"/" + entry.name if folder else entry.name
            is_folder = entry.is_dir(follow_symlinks=False)
            if ignore.ignores(path, folder=is_folder):
                yield Found(path, None, ignore.reason(path))
            elif is_folder:
                folders.append(path)
            else:
                yield _file(entry, path)


def _file(entry: os.DirEntry[bytes], path: bytes) -> Found:
    if entry.is_symlink():
        return Found(path, None, "It is a link, which is not followed.")
    if not entry.is_file(follow_symlinks=False):
        return Found(path, None, "It is no regular file.")
    try:
        return Found(path, fingerprints.of(entry.stat(follow_symlinks=False)))
    except OSError as error:
        return Found(path, None, f"It cannot be read: {error.strerror or error}.")
