"""What the receiving half of a channel hands to its writing half."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from nephos.recording.sources import base

NO_SPACE = "no space"  # the trouble of a track whose disk is full


class Decoder(Protocol):
    """The half of a source that belongs to the writing thread."""

    def decode(self, load: base.Load) -> base.Chunk: ...


@dataclass(frozen=True, slots=True)
class Arrivals:
    """When something came in a second, in seconds after its start, and what the kernel threw away in it."""

    first: float | None = None
    last: float | None = None
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class Batch:
    """What the receiving half hands over: part of one second, or its end."""

    second: int
    mono: float  # at the second's start
    at: float  # UTC of the hand-over
    load: base.Load | None = None
    unwritten: int = 0  # bytes that had to be dropped before they got here
    ends: Arrivals | None = None
    closes: bool = False
    era: int = 0  # of the wall clock: how often it was set
    bookings: tuple[int, ...] = ()  # whose windows were open in this second
