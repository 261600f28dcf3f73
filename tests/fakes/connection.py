"""A connection that keeps everything in memory, and the notes of a journal that does."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from nephos.lib import ports
from nephos.sync import errors, fingerprints, names
from nephos.sync.connections import base
from nephos.sync.states import Proof


@dataclass
class Notes:
    """A journal in memory; `history` has every call in order."""

    intents: dict[int, base.Intent] = field(default_factory=dict)
    history: list[tuple[str, int]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def unfinished(self, item: base.Item) -> base.Intent | None:
        return self.intents.get(item.id)

    def intent(self, item: base.Item, intent: base.Intent) -> None:
        self.history.append(("intent", item.id))
        self.intents[item.id] = intent

    def part(self, item: base.Item, part: base.Part) -> None:
        with self._lock:
            self.history.append(("part", part.number))
            old = self.intents[item.id]
            self.intents[item.id] = base.Intent(
                old.transfer, old.fingerprint, old.key, old.handle, old.part_bytes, old.offset, (*old.parts, part)
            )

    def offset(self, item: base.Item, offset: int, prefix_sha256: str = "") -> None:
        self.history.append(("offset", offset))
        old = self.intents[item.id]
        self.intents[item.id] = base.Intent(
            old.transfer, old.fingerprint, old.key, old.handle, old.part_bytes, offset, old.parts, prefix_sha256
        )

    def adopt(self, item: base.Item, intent: base.Intent) -> None:
        self.history.append(("adopt", len(intent.parts)))
        self.intents[item.id] = intent

    def verifying(self, item: base.Item) -> None:
        self.history.append(("verifying", item.id))

    def forget(self, item: base.Item) -> None:
        self.history.append(("forget", item.id))
        self.intents.pop(item.id, None)


class FakeConnection:
    """Works as the real ones do."""

    capabilities = base.Capabilities(resumes=False, copies=True, lists=True, renames_atomically=True)

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def send(
        self, items: Iterable[base.Item], *, journal: base.TransferJournal, stop: ports.Waiter
    ) -> Iterator[base.Outcome]:
        for item in items:
            try:
                yield base.Outcome(item, delivered=self._deliver(item, stop))
            except errors.SyncError as error:
                yield base.Outcome(item, error=error)

    def look(self, path: str) -> base.Remote | None:
        return base.Remote(path, len(self.files[path])) if path in self.files else None

    def list(self, prefix: str = "") -> Iterator[base.Remote]:
        return iter([base.Remote(key, len(body)) for key, body in self.files.items() if key.startswith(prefix)])

    def copy(self, source: str, target: str) -> None:
        self.files[target] = self.files[source]

    def delete(self, path: str) -> None:
        self.files.pop(path, None)

    def probe(self) -> base.Profile:
        return base.Profile(checks_content=True)

    def close(self) -> None:
        self.files = dict(self.files)

    def _deliver(self, item: base.Item, stop: ports.Waiter) -> base.Delivered:
        if names.refusal(item.path):
            raise errors.NameRefused
        if fingerprints.take(item.source) != item.fingerprint:
            raise errors.SourceChanged
        if stop.is_set():
            raise errors.Interrupted
        body = Path(item.source.decode()).read_bytes()
        self.files[item.path] = body
        return base.Delivered(item.path, len(body), hashlib.sha256(body).hexdigest(), Proof.SERVER)
