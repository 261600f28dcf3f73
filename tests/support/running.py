"""The keeper's loops on a home, stepped by hand, while their settings file is changed as a person changes it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from nephos.config import edit, load
from nephos.lib import clock
from nephos.monitoring import queries


class Time:
    """Both clocks, moved forward by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._ahead = 0.0
        monotonic, unix = clock.monotonic, clock.unix
        monkeypatch.setattr(clock, "monotonic", lambda: monotonic() + self._ahead)
        monkeypatch.setattr(clock, "unix", lambda: unix() + self._ahead)
        monkeypatch.setattr(clock, "now", lambda: datetime.now(UTC) + timedelta(seconds=self._ahead))

    def on(self, seconds: float) -> None:
        """So much later."""
        self._ahead += seconds


class Running:
    """All loops of a keeper, by name. Each call of a loop's check is counted."""

    def __init__(self, loaded: load.Loaded, time: Time) -> None:
        from nephos.importers import update
        from nephos.maintenance import checks
        from nephos.monitoring import keeper

        self.home, self.time = loaded.home, time
        self.calls: dict[str, int] = {}
        self._loops = {loop.name: loop for make in (checks, keeper, update) for loop in make.loops(loaded)}
        for name, loop in self._loops.items():
            if hasattr(loop, "_check"):
                self._count(name, loop)

    def _count(self, name: str, loop: Any) -> None:
        check: Callable[..., object] = loop._check
        self.calls[name] = 0

        def counted(loaded: load.Loaded) -> object:
            self.calls[name] += 1
            return check(loaded)

        loop._check = counted

    def step(self, name: str, *, later: float = 0) -> None:
        """One look of a loop, so many seconds later."""
        self.time.on(later)
        self._loops[name].step()

    def set(self, key: str, value: edit.Plain) -> None:
        """Change the settings file."""
        edit.set_value(self.home, key, value)

    def asked(self, name: str) -> bool:
        """Whether the check was called since the last question."""
        called, self.calls[name] = self.calls[name], 0
        return called > 0


def keys(kind: type[msgspec.Struct], prefix: str) -> list[str]:
    """All keys of a section of the settings, those of tables inside it too: `prefix.key`, `prefix.table.*.key`."""
    found = []
    for field in msgspec.structs.fields(kind):
        inner = getattr(field.type, "__args__", (None,))[-1] if "dict" in str(field.type) else field.type
        name = f"{prefix}.{field.name}" + (".*" if inner is not field.type else "")
        is_table = isinstance(inner, type) and issubclass(inner, msgspec.Struct)
        found += keys(inner, name) if is_table else [name]
    return found


def problems() -> list[str]:
    """Keys of the open problems."""
    return sorted(view.key for view in queries.problems())
