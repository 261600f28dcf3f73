"""The file that is sent, open as long as anybody needs it."""

from __future__ import annotations

import os

from nephos.sync import errors, fingerprints
from nephos.sync import ports as sync_ports
from nephos.sync.connections import base

_FLAGS = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


class Source:
    """Closed when the last who holds it lets go: a piece that still waits to be sent never meets another file's handle.

    Raises SourceGone, SourceUnreadable.
    """

    __slots__ = ("handle", "item")

    def __init__(self, item: base.Item) -> None:
        self.handle = -1
        self.item = item
        try:
            self.handle = os.open(item.source, _FLAGS)
        except FileNotFoundError as error:
            raise errors.SourceGone from error
        except OSError as error:
            raise errors.SourceUnreadable(f"The file cannot be read: {error.strerror or error}.") from error

    def __del__(self) -> None:
        if self.handle >= 0:
            os.close(self.handle)

    def check(self) -> None:
        """Raises SourceChanged if it is not the version that is to be sent."""
        if fingerprints.of(os.fstat(self.handle)) != self.item.fingerprint:
            raise errors.SourceChanged

    def read(self, length: int, start: int) -> bytes:
        """Exactly so much. Raises SourceChanged, SourceUnreadable."""
        try:
            block = sync_ports.read_at(self.handle, length, start)
        except OSError as error:
            raise errors.SourceUnreadable(f"The file cannot be read: {error.strerror or error}.") from error
        if len(block) != length:
            raise errors.SourceChanged
        return block
