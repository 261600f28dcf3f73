"""What the tests of the finaliser share: a tape of what was on the air, and the keeper's loops."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from nephos.config.load import Loaded
from nephos.library.models import Asset, Channel
from nephos.recording import bookings, finaliser, services, sweep
from nephos.recording.models import Booking
from tests.fakes import air

NOON = datetime(2026, 11, 22, 19, 0, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    """So many seconds after 19:00 UTC."""
    return NOON + timedelta(seconds=seconds)


def order(channel: Channel, start: float = 5, seconds: int = 20) -> Booking:
    return services.record_now(channel=channel, duration=seconds, starts_at=at(start))


def run(home: Loaded, hands: air.Clock, until: float, *, beats: bool = True) -> None:
    """The keeper's loops, at a time when the recorder says that it is done."""
    hands.go_to(at(until))
    if beats:
        air.beat(home.home.run, hands.wall)
    bookings.Arrivals(home).step()
    finaliser.Finaliser(home).step()


def tidy(home: Loaded, hands: air.Clock) -> None:
    hands.pass_(30)
    sweep.Sweeper(home).step()


def stream_of(home: Loaded, asset: Asset) -> Path:
    return home.home.recordings / "la-uno" / f"{asset.stem}.ts"


def manifest_of(home: Loaded, asset: Asset) -> dict[str, Any]:
    path = home.home.recordings / "la-uno" / f"{asset.stem}.manifest.json"
    raw: dict[str, Any] = json.loads(path.read_text())
    return raw


def hidden(home: Loaded) -> list[str]:
    return sorted(path.name for path in (home.home.recordings / "la-uno").glob(".*.partial"))


def left(tape: air.Air) -> list[str]:
    return sorted(path.name for path in tape.folder.iterdir())
