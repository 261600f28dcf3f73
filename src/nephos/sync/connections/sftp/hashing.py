"""Sums of what is sent, worked out beside the sending by one thread, in order."""

from __future__ import annotations

import hashlib
from concurrent.futures import Executor, Future

from nephos.sync import errors
from nephos.sync import ports as sync_ports

_BLOCK_BYTES = 1 << 20


class Sum:
    """SHA-256 of a file that passes by in blocks."""

    def __init__(self, thread: Executor) -> None:
        self._thread = thread
        self._digest = hashlib.sha256()
        self._first: Future[None] | None = None

    def begin_at(self, handle: int, offset: int) -> None:
        """The part that is over there already is read here only."""
        self._first = self._thread.submit(self._read, handle, offset)

    def add(self, block: bytes) -> None:
        """The next block."""
        self._thread.submit(self._digest.update, block)

    def result(self) -> str:
        """When all was added. Raises SourceChanged."""
        found = self._thread.submit(self._digest.hexdigest).result()
        if self._first is not None:
            self._first.result()
        return found

    def _read(self, handle: int, offset: int) -> None:
        at = 0
        while at < offset:
            block = sync_ports.read_at(handle, min(_BLOCK_BYTES, offset - at), at)
            if not block:
                raise errors.SourceChanged
            self._digest.update(block)
            at += len(block)
