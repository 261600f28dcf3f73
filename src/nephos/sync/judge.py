"""Asks the rules of a watch whether files are taken: the built-in ones at once, people's own in a thread beside."""

from __future__ import annotations

import os
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from nephos.plugins import builtin, runner
from nephos.sync import errors
from nephos.sync.fingerprints import Fingerprint
from nephos.sync.mappings import WatchRule

Verdict = bool | errors.PluginRefused


class Judge:
    """All rules of one watch; a file is taken if every one takes it."""

    def __init__(self, rule: WatchRule, plugins: Path) -> None:
        self._rule = rule
        self._runner = runner.Runner(plugins)
        self._quick = all(name in builtin.BUILT_IN for name, _ in rule.rules)
        self._thread = None if self._quick else ThreadPoolExecutor(1, thread_name_prefix="rules")
        self._asked: dict[bytes, tuple[Fingerprint, Future[Verdict]]] = {}

    def verdict(self, path: bytes, full: bytes, version: Fingerprint) -> Verdict | None:
        """Whether a file is taken, or why that cannot be said; None as long as it is not known."""
        if self._thread is None:
            return self._ask(full)
        known = self._asked.get(path)
        if known is None or known[0] != version:
            known = self._asked[path] = (version, self._thread.submit(self._ask, full))
        if not known[1].done():
            return None
        del self._asked[path]
        return known[1].result()

    def ask_now(self, full: bytes) -> Verdict:
        """The same, for those who can wait."""
        return self._ask(full)

    def close(self) -> None:
        """Ask no more."""
        if self._thread is not None:
            self._thread.shutdown(wait=False, cancel_futures=True)
            self._runner.close()

    def _ask(self, full: bytes) -> Verdict:
        try:
            place = Path(os.fsdecode(full))
            return all(self._runner.takes(name, place, dict(options)) for name, options in self._rule.rules)
        except runner.PluginFailed as error:
            return errors.PluginRefused(error.message)
