"""A connection class that somebody wrote: `_send(src, remote)`, `_delete(path)`, `_move(src, dest)`, and no more.

It runs in a child process with a time limit. All that is known afterwards is that it said nothing bad.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from nephos.config.errors import ConfigError
from nephos.lib import ports
from nephos.plugins import runner
from nephos.sync import errors, fingerprints, names
from nephos.sync.connections import base, options
from nephos.sync.states import Proof

_CLASS = "class"
_LIMIT = "limit_seconds"
_LIMIT_SECONDS = 3600.0
_HASH_BYTES = 1 << 20

OPTIONS = object


def check(name: str, values: Mapping[str, options.Plain], root: str) -> None:  # noqa: ARG001 - as all kinds
    """Raises ConfigError if no class is named."""
    chosen = values.get(_CLASS)
    if not isinstance(chosen, str) or not chosen.isidentifier():
        raise ConfigError(f"Connection {name} names no class of config/plugins.", hint='options = { class = "Shutil" }')


def open_(
    name: str,
    values: Mapping[str, options.Plain],
    root: str,
    profile: base.Profile | None,  # noqa: ARG001 - every kind is opened alike
    tuning: base.Tuning,
) -> base.Connection:
    """Make the class. Raises ConfigError."""
    check(name, values, root)
    if tuning.plugins is None:
        raise ConfigError("Nobody said where config/plugins is.")
    return PluginConnection(values, root, tuning.plugins)


class PluginConnection:
    """One class, made with the other options of the connection."""

    capabilities = base.Capabilities(resumes=False, copies=False, lists=False, renames_atomically=False)

    def __init__(self, values: Mapping[str, options.Plain], root: str, folder: Path) -> None:
        self._class = str(values[_CLASS])
        self._limit = float(values.get(_LIMIT, _LIMIT_SECONDS))
        self._options = {key: value for key, value in values.items() if key not in {_CLASS, _LIMIT}}
        self._root = root.rstrip("/")
        self._runner = runner.Runner(folder)

    def send(
        self,
        items: Iterable[base.Item],
        *,
        journal: base.TransferJournal,  # noqa: ARG002 - it knows nothing that could be noted
        stop: ports.Waiter,
    ) -> Iterator[base.Outcome]:
        """One after another."""
        for item in items:
            try:
                yield base.Outcome(item, delivered=self._deliver(item, stop))
            except errors.SyncError as error:
                yield base.Outcome(item, error=error)

    def look(self, path: str) -> base.Remote | None:  # noqa: ARG002
        """It cannot look."""
        return None

    def list(self, prefix: str = "") -> Iterator[base.Remote]:  # noqa: ARG002
        """It cannot list."""
        return iter(())

    def copy(self, source: str, target: str) -> None:  # noqa: ARG002
        """It cannot copy."""
        raise errors.Refused("This kind of destination cannot copy.")

    def move(self, source: str, target: str) -> None:
        """`_move`."""
        self._call("move", self._place(source), self._place(target))

    def delete(self, path: str) -> None:
        """`_delete`."""
        self._call("delete", self._place(path))

    def probe(self) -> base.Profile:
        """Whether there is such a class."""
        try:
            found = self._runner.describe()
        except runner.PluginFailed as error:
            raise errors.PluginRefused(error.message) from error
        if self._class not in found["connections"]:
            raise errors.PluginRefused(f"There is no class {self._class} with _send and _delete in config/plugins.")
        return base.Profile(note="A class of config/plugins: nothing it does can be proven.")

    def close(self) -> None:
        """End the child process."""
        self._runner.close()

    def _deliver(self, item: base.Item, stop: ports.Waiter) -> base.Delivered:
        place = self._place(item.path)
        if stop.is_set():
            raise errors.Interrupted
        sha256 = _sha256(item.source)
        self._call("send", os.fsdecode(item.source), place)
        if fingerprints.take(item.source) != item.fingerprint:
            raise errors.SourceChanged
        size = item.fingerprint.size_bytes
        return base.Delivered(key=item.path, bytes=size, sha256=sha256, proof=Proof.SENT)

    def _call(self, verb: str, *arguments: str) -> None:
        try:
            self._runner.call(verb, self._class, self._options, *arguments, limit_seconds=self._limit)
        except runner.PluginFailed as error:
            raise errors.PluginRefused(error.message) from error

    def _place(self, path: str) -> str:
        refusal = names.refusal(path)
        if refusal:
            raise errors.NameRefused(refusal)
        return f"{self._root}/{path}" if self._root else path


def _sha256(source: bytes) -> str:
    digest = hashlib.sha256()
    try:
        with Path(os.fsdecode(source)).open("rb") as stream:
            while block := stream.read(_HASH_BYTES):
                digest.update(block)
    except OSError as error:
        raise errors.SourceGone from error
    return digest.hexdigest()
