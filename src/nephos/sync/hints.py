"""What a watcher tells: folders worth a look."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Hints:
    """Folders below the root in which something happened; after an overflow all of them are."""

    folders: set[bytes] = field(default_factory=set)
    overflow: bool = False
