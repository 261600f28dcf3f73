"""A home whose settings a test writes, and a mail server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nephos.config import load
from tests.fakes import mail


@pytest.fixture
def settle(tmp_path: Path) -> Callable[[str], load.Loaded]:
    """Settings from text, as a loaded home."""

    def write(text: str) -> load.Loaded:
        root = tmp_path / "home"
        (root / "config").mkdir(parents=True, exist_ok=True)
        (root / "config/nephos.toml").write_text(text)
        loaded = load.load(root, environment={})
        loaded.home.create()
        return loaded

    return write


@pytest.fixture
def box(tmp_path: Path) -> Iterator[mail.Box]:
    with mail.serving(tmp_path) as made:
        yield made
