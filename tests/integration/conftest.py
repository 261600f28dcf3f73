"""What integration tests of the page, the API and the commands share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture
def open_connections() -> Iterator[None]:
    """As Django's own test client does: a request must not close the connection that holds the test's transaction."""
    from django.core import signals
    from django.db import close_old_connections

    pair = (signals.request_started, signals.request_finished)
    for signal in pair:
        signal.disconnect(close_old_connections)
    yield
    for signal in pair:
        signal.connect(close_old_connections)
