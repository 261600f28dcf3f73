"""What all uploads of one sending share, and what each of them is to the one who pumps."""

from __future__ import annotations

import collections
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Protocol

from nephos.sync import errors
from nephos.sync.connections import base
from nephos.sync.connections.sftp.folders import Folders
from nephos.sync.connections.sftp.place import Place


@dataclass(frozen=True, slots=True)
class Yard:
    """Where outcomes are put as files end."""

    place: Place
    folders: Folders
    journal: base.TransferJournal
    hashing: Executor
    ended: collections.deque[base.Outcome]


class Work(Protocol):
    """Something on its way over one login."""

    @property
    def is_over(self) -> bool: ...

    @property
    def has_more(self) -> bool:
        """Whether there are bytes to send now."""
        ...

    @property
    def left_bytes(self) -> int:
        """How many of them."""
        ...

    def send_next(self, most: int) -> int:
        """One piece more, of at most so many bytes; how many it were."""
        ...

    def fail(self, error: errors.SyncError) -> None:
        """It ends here; what a later attempt can go on with stays."""
        ...
