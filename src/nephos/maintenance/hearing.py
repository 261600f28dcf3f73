"""What the recorder says it hears, from its heartbeat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nephos.config.load import Loaded
from nephos.maintenance import vitals


@dataclass(frozen=True, slots=True)
class Receiver:
    """One channel that is being received."""

    slug: str
    state: str
    bookings: tuple[int, ...]


def receivers(loaded: Loaded) -> list[Receiver]:
    """All of them; none if the recorder is not heard of."""
    told = vitals.role(loaded, "recorder")
    if told["state"] != "running":
        return []
    return [_receiver(one) for one in told["details"].get("receivers", []) if isinstance(one, dict)]


def _receiver(one: dict[str, Any]) -> Receiver:
    bookings = tuple(number for number in one.get("bookings", []) if isinstance(number, int))
    return Receiver(str(one.get("slug", "")), str(one.get("state", "")), bookings)
