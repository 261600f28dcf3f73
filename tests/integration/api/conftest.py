"""Who calls the API in these tests. Imports wait: this file is read before Django is configured."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture
def home() -> Iterator[Any]:
    """The home that Django runs on in these tests, with no settings of its own before and after."""
    from nephos.core import bootstrap
    from nephos.web import current

    place = bootstrap.loaded().home
    place.config_file.unlink(missing_ok=True)
    current._live.cache_clear()
    yield place
    place.config_file.unlink(missing_ok=True)
    current._live.cache_clear()


@pytest.fixture
def owner(db: None, home: Any, open_connections: None) -> Any:
    """The home's owner, who needs no token."""
    from tests.support import callers

    return callers.Caller(local=True)


@pytest.fixture
def stranger(db: None, home: Any, open_connections: None) -> Any:
    """Somebody without a token."""
    from tests.support import callers

    return callers.Caller(local=False)


@pytest.fixture
def program(db: None, home: Any, open_connections: None) -> Any:
    """Makes a caller with a token of these scopes."""
    from tests.support import callers

    return callers.with_token
