"""A way to tell people that keeps what it is told, and says no when it is told to."""

from __future__ import annotations

from dataclasses import dataclass, field

from nephos.monitoring import errors
from nephos.monitoring.channels.base import Message


@dataclass
class FakeChannel:
    """`mood`: nothing, `later` or `never`."""

    told: list[Message] = field(default_factory=list)
    mood: str = ""

    def tell(self, message: Message) -> None:
        if self.mood == "later":
            raise errors.NotTold("Later.")
        if self.mood == "never":
            raise errors.Refused("Never.")
        self.told.append(message)
