"""A home whose settings a test writes, with things in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nephos.config import load
from nephos.lib import clock, files


@pytest.fixture
def settle(tmp_path: Path) -> Callable[[str], load.Loaded]:
    """Settings from text, as a loaded home."""

    def write(text: str = "") -> load.Loaded:
        root = tmp_path / "home"
        (root / "config").mkdir(parents=True, exist_ok=True)
        (root / "config/nephos.toml").write_text(text)
        loaded = load.load(root, environment={})
        loaded.home.create()
        return loaded

    return write


@pytest.fixture
def beats() -> Callable[..., None]:
    """Writes the heartbeat of a role as if it beat at this moment."""

    def beat(loaded: load.Loaded, role: str, *, pid: int = 1, state: str = "running", **details: Any) -> None:
        stamp = clock.stamp(clock.now())
        document = {"role": role, "pid": pid, "state": state, "started_at": stamp, "beat_at": stamp, "details": details}
        files.write_json(loaded.home.run / f"{role}.json", document)

    return beat
