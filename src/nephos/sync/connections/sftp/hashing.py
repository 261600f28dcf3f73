"""Sums of big files, worked out beside the sending by one thread that reads for itself."""

from __future__ import annotations

import hashlib
import threading
from concurrent.futures import Executor, Future

from nephos.sync import errors
from nephos.sync import ports as sync_ports
from nephos.sync.connections.sftp.source import Source

_BLOCK_BYTES = 256 * 1024  # stays in the processor's cache between being read and being summed up
_AT_ONCE_BYTES = 1 << 20  # up to this it costs more to hand it to a thread than to do it


class Sum:
    """SHA-256 of a whole file. That it is the sum of what was sent follows from the file being the same after both.

    Raises SourceChanged, SourceUnreadable.
    """

    def __init__(self, thread: Executor, source: Source, size: int) -> None:
        self._over = threading.Event()
        self._found: Future[str] | str
        if size <= _AT_ONCE_BYTES:
            self._found = _sum(source, size, self._over)
        else:
            self._found = thread.submit(_sum, source, size, self._over)

    def result(self) -> str:
        """Waits for it. Raises SourceChanged, SourceUnreadable."""
        return self._found if isinstance(self._found, str) else self._found.result()

    def stop(self) -> None:
        """Nobody asks for it any more."""
        self._over.set()
        if not isinstance(self._found, str):
            self._found.cancel()


def _sum(source: Source, size: int, over: threading.Event) -> str:
    digest = hashlib.sha256()
    buffer = memoryview(bytearray(min(_BLOCK_BYTES, max(1, size))))
    at = 0
    while at < size and not over.is_set():
        try:
            count = sync_ports.read_into(source.handle, buffer[: min(_BLOCK_BYTES, size - at)], at)
        except OSError as error:
            raise errors.SourceUnreadable(f"The file cannot be read: {error.strerror or error}.") from error
        if not count:
            raise errors.SourceChanged
        digest.update(buffer[:count])
        at += count
    return digest.hexdigest()
