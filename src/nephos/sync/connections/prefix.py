"""Sums of the beginnings of files that grow: each byte is read once, whatever the beginning grows to."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from nephos.lib import ports
from nephos.sync import errors
from nephos.sync import ports as sync_ports

_BLOCK_BYTES = 1 << 20
_MOST_FILES = 256


@dataclass(slots=True)
class Prefixes:
    """By the id of the item. A beginning that became shorter, or that nobody remembers, is read again."""

    _known: dict[int, tuple[int, hashlib._Hash]] = field(default_factory=dict)

    def sha256(self, item_id: int, handle: int, length: int, stop: ports.Waiter) -> str:
        """Of the first bytes of an open file. Raises SourceChanged if it is shorter, Interrupted."""
        at, digest = self._known.pop(item_id, (0, hashlib.sha256()))
        if at > length:
            at, digest = 0, hashlib.sha256()
        while at < length:
            if stop.is_set():
                raise errors.Interrupted
            block = sync_ports.read_at(handle, min(_BLOCK_BYTES, length - at), at)
            if not block:
                raise errors.SourceChanged
            digest.update(block)
            at += len(block)
        if len(self._known) >= _MOST_FILES:
            self._known.pop(next(iter(self._known)))
        self._known[item_id] = (at, digest)
        return digest.hexdigest()
