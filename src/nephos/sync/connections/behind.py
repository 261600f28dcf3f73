"""A file in a folder that grows behind its writer, under its hidden name."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

from nephos.lib import files, ports
from nephos.sync import errors, fingerprints
from nephos.sync.connections import base, hidden
from nephos.sync.connections.prefix import Prefixes

STEP_BYTES = 1 << 20
_MOST_BYTES = 32 << 20  # a call
_SLICE_BYTES = 1 << 20


def grow(item: base.Item, place: Path, prefixes: Prefixes, *, journal: base.TransferJournal, stop: ports.Waiter) -> int:
    """Append what is new; the offset is noted when it is on the disk, with the sum of all before it."""
    intent = _unfinished(item, place, journal) or _begin(item, place, journal)
    source = Path(os.fsdecode(item.source))
    end = min(item.fingerprint.size_bytes, intent.offset + _MOST_BYTES)
    handle = os.open(place.with_name(intent.handle), os.O_WRONLY | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o644)
    try:
        os.ftruncate(handle, intent.offset)
        os.lseek(handle, intent.offset, os.SEEK_SET)
        _append(source, handle, intent.offset, end, stop)
        os.fsync(handle)
    finally:
        os.close(handle)
    with source.open("rb") as stream:
        journal.offset(item, end, prefixes.sha256(item.id, stream.fileno(), end, stop))
    return end


def adopt(
    item: base.Item, place: Path, intent: base.Intent, *, journal: base.TransferJournal, stop: ports.Waiter
) -> base.Intent | None:
    """What went up behind the writer, if the file still begins with just that; None if it does not."""
    if not intent.prefix_sha256 or intent.key != item.path or intent.offset > item.fingerprint.size_bytes:
        return None
    if _size(place.with_name(intent.handle)) < intent.offset:
        return None
    with Path(os.fsdecode(item.source)).open("rb") as stream:
        if Prefixes().sha256(item.id, stream.fileno(), intent.offset, stop) != intent.prefix_sha256:
            return None
    adopted = dataclasses.replace(intent, fingerprint=item.fingerprint)
    journal.adopt(item, adopted)
    return adopted


def abandon(item: base.Item, place: Path, journal: base.TransferJournal) -> None:
    """Remove what went up."""
    intent = journal.unfinished(item)
    if intent is not None:
        place.with_name(intent.handle).unlink(missing_ok=True)
        journal.forget(item)


def _append(source: Path, handle: int, start: int, end: int, stop: ports.Waiter) -> None:
    while start < end:
        if stop.is_set():
            raise errors.Interrupted
        copied = files.append_range(source, handle, start=start, length=min(_SLICE_BYTES, end - start))
        if not copied:
            raise errors.SourceChanged
        start += copied
        base.pace(stop, copied)


def _unfinished(item: base.Item, place: Path, journal: base.TransferJournal) -> base.Intent | None:
    intent = journal.unfinished(item)
    if intent is None:
        return None
    there = _size(place.with_name(intent.handle))
    if intent.key == item.path and intent.offset <= item.fingerprint.size_bytes and max(0, there) >= intent.offset:
        return intent
    abandon(item, place, journal)
    return None


def _begin(item: base.Item, place: Path, journal: base.TransferJournal) -> base.Intent:
    place.parent.mkdir(parents=True, exist_ok=True)
    handle = hidden.name(place.name, item.transfer)
    intent = base.Intent(transfer=item.transfer, fingerprint=item.fingerprint, key=item.path, handle=handle)
    journal.intent(item, intent)
    return intent


def _size(path: Path) -> int:
    try:
        return fingerprints.take(os.fsencode(path)).size_bytes
    except errors.SyncError:
        return -1
