"""What a way to tell people is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from nephos.lib import clock


@dataclass(frozen=True, slots=True)
class Message:
    """What is told to one receiver. The uid is the same at each try, so that a double can be recognised."""

    uid: str
    receiver: str
    title: str
    body: str
    payload: Mapping[str, Any] = field(default_factory=dict)
    made_at: datetime = field(default_factory=clock.now)


class Channel(Protocol):
    """One way. Each call has a time limit and ends in the other side's word that it took the message."""

    def tell(self, message: Message) -> None:
        """Raises NotTold if it may work later, Refused if it never will."""
        ...
