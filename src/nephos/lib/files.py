"""Files that are whole or not there: atomic writes, joining, hashing, free space."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_CHUNK_BYTES = 1 << 20


def sync_folder(folder: Path) -> None:
    """Make renames in a folder survive a power cut. Does nothing where folders cannot be opened (Windows)."""
    with contextlib.suppress(PermissionError, IsADirectoryError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def write_atomic(target: Path, content: bytes | str, *, mode: int = 0o644, durable: bool = True) -> None:
    """Replace a file in one step: readers see the old or the new content, never a part. Raises OSError.

    `durable=False` leaves out the fsync, for files that only matter while the machine is up (heartbeats).
    """
    raw = content.encode() if isinstance(content, str) else content
    temporary = target.with_name(f".{target.name}.{os.getpid()}-{threading.get_native_id()}.tmp")
    try:
        _write_new(temporary, raw, mode=mode, durable=durable)
        temporary.replace(target)
    except OSError:  # a full disk is not made fuller
        temporary.unlink(missing_ok=True)
        raise
    if durable:
        sync_folder(target.parent)


def _write_new(path: Path, raw: bytes, *, mode: int, durable: bool) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        view = memoryview(raw)
        while view:
            view = view[os.write(handle, view) :]
        if durable:
            os.fsync(handle)
    finally:
        os.close(handle)


def write_json(target: Path, value: Any, *, durable: bool = True, mode: int = 0o644) -> None:
    """`write_atomic` of a JSON document."""
    write_atomic(target, json.dumps(value, ensure_ascii=False, indent=1) + "\n", durable=durable, mode=mode)


def read_json(source: Path) -> Any | None:
    """The document, or None if the file is absent or no JSON (a reader must not fall over a foreign file)."""
    try:
        return json.loads(source.read_bytes())
    except (FileNotFoundError, ValueError):
        return None


def free_name(wanted: Path) -> Path:
    """The path itself, or with `-2`, `-3`... before the suffixes if it is taken."""
    if not os.path.lexists(wanted):
        return wanted
    stem, suffixes = wanted.name.split(".", 1) if "." in wanted.name else (wanted.name, "")
    number = 2
    while True:
        name = f"{stem}-{number}" + (f".{suffixes}" if suffixes else "")
        candidate = wanted.with_name(name)
        if not os.path.lexists(candidate):
            return candidate
        number += 1


def sha256(source: Path) -> str:
    """Hex SHA-256 of a whole file."""
    with source.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def chunks(source: Path, *, start: int = 0, length: int | None = None) -> Iterator[bytes]:
    """The bytes of a part of a file, a mebibyte at a time."""
    left = length if length is not None else max(0, source.stat().st_size - start)
    with source.open("rb") as stream:
        stream.seek(start)
        while left > 0:
            block = stream.read(min(_CHUNK_BYTES, left))
            if not block:
                return
            left -= len(block)
            yield block


def append_range(source: Path, target_handle: int, *, start: int, length: int) -> int:
    """Copy a part of a file to the end of an open one, inside the kernel where it can; returns the bytes copied."""
    copied = 0
    with source.open("rb") as stream:
        if hasattr(os, "copy_file_range"):
            with contextlib.suppress(OSError):  # EXDEV, EINVAL: other file systems; the loop below does the rest
                while copied < length:
                    step = os.copy_file_range(
                        stream.fileno(), target_handle, length - copied, offset_src=start + copied
                    )
                    if step == 0:
                        return copied
                    copied += step
        stream.seek(start + copied)
        while copied < length:
            block = stream.read(min(_CHUNK_BYTES, length - copied))
            if not block:
                return copied
            view = memoryview(block)
            while view:
                written = os.write(target_handle, view)
                copied += written
                view = view[written:]
    return copied


def free_bytes(folder: Path) -> int:
    """Space that an ordinary user may still fill on the volume of a folder."""
    return shutil.disk_usage(folder).free
