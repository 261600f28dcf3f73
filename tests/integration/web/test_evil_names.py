"""Names of files that attack a page stand on it as text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support import evil


@pytest.fixture
def held(place: Any) -> Iterator[dict[int, str]]:
    place.sync_database.unlink(missing_ok=True)
    yield evil.fill(place)
    place.sync_database.unlink(missing_ok=True)


@pytest.mark.parametrize("address", ["/", "/system"])
def test_evil_names_of_files_are_text_on_every_page(
    person: Callable[..., Any], held: dict[int, str], address: str
) -> None:
    answer = person("admin").get(address)

    body = answer.content.decode()
    assert answer.status_code == 200
    assert "<script>alert" not in body
    assert 'onmouseover="alert' not in body
    assert ("&lt;script&gt;" in body) == (address == "/")
    assert "Content-Security-Policy" in answer.headers
