"""A channel, and a clock that is moved by hand. (Models are imported late: Django is configured after this file.)"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from nephos.config.load import Loaded
from nephos.lib import clock
from tests.fakes import air

if TYPE_CHECKING:
    from nephos.library.models import Channel


@pytest.fixture
def hands(monkeypatch: pytest.MonkeyPatch) -> air.Clock:
    """It is Sunday 22 November 2026, 19:00:00 UTC."""
    fake = air.Clock(datetime(2026, 11, 22, 19, 0, 0, tzinfo=UTC))
    monkeypatch.setattr(clock, "now", lambda: fake.wall)
    monkeypatch.setattr(clock, "unix", lambda: fake.wall.timestamp())  # noqa: PLW0108 - the wall moves
    monkeypatch.setattr(clock, "monotonic", lambda: fake.mono)
    return fake


@pytest.fixture
def channel(db: None, hands: air.Clock) -> Channel:
    from nephos.library import services as library

    return library.add_channel(name="La Uno", address="udp://239.1.2.3:5004", zone="Europe/Madrid")


@pytest.fixture
def tape(home: Loaded, channel: Channel) -> air.Air:
    """What a recorder lays on disk for the channel."""
    return air.Air(home.home.recordings, channel.slug)
