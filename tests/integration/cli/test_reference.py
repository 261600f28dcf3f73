"""The pages of reference are in step with the commands and the API."""

from __future__ import annotations

from pathlib import Path

import pytest
from tools import render_reference


@pytest.mark.parametrize("name", ["cli.md", "api.md"])
def test_the_page_is_in_step(name: str) -> None:
    pages: dict[Path, str] = render_reference.pages()
    path = render_reference.FOLDER / name

    assert path.read_text(encoding="utf-8") == pages[path], "python -m tools.render_reference"
