"""What bookings need of the network and the disk, against what there is: shortages shown ahead; pure.

Bookings of one channel at one time share one reception, so the network carries it once. On the disk each becomes a
file of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import pairwise

from nephos.lib import text


class Kind(StrEnum):
    """What runs short."""

    NETWORK = "network"
    DISK = "disk"


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """One booking, or one airing that is not booked yet."""

    title: str
    channel: str
    start: datetime
    end: datetime
    bits_per_second: int
    booking: int | None = None

    @property
    def bytes(self) -> int:
        return round((self.end - self.start).total_seconds() * self.bits_per_second / 8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortage:
    """A time in which more is wanted than there is. `wanted` and `available` are bits per second, or bytes."""

    kind: Kind
    start: datetime
    end: datetime
    wanted: int
    available: int
    titles: tuple[str, ...]
    bookings: tuple[int, ...]

    @property
    def sentence(self) -> str:
        """For people."""
        when = f"{self.start:%a %Y-%m-%d %H:%M} UTC"
        if self.kind is Kind.NETWORK:
            return (
                f"From {when} to {self.end:%H:%M}, {text.count(len(self.titles), 'booking')} want"
                f" {text.bit_rate(self.wanted)} of the network's {text.bit_rate(self.available)}."
            )
        return (
            f"The disk is full on {when}, with {self.titles[0]}: until then {text.size(self.wanted)} are booked,"
            f" and {text.size(self.available)} are free above the floor."
        )


def network(demands: Sequence[Demand], *, limit: int) -> list[Shortage]:
    """When bookings that overlap want more than the network carries. A limit of 0 is none."""
    if not limit:
        return []
    edges = sorted({edge for one in demands for edge in (one.start, one.end)})
    found: list[Shortage] = []
    for start, end in pairwise(edges):
        active = [one for one in demands if one.start < end and one.end > start]
        rates = {one.channel: one.bits_per_second for one in active}
        if sum(rates.values()) <= limit:
            continue
        fresh = _shortage(Kind.NETWORK, start, end, wanted=sum(rates.values()), available=limit, demands=active)
        if found and found[-1].end == start and found[-1].titles == fresh.titles:
            found[-1] = _longer(found[-1], fresh)
        else:
            found.append(fresh)
    return found


def disk(demands: Sequence[Demand], *, free: int, floor: int) -> list[Shortage]:
    """The first booking that no longer fits above the floor, if all before it are kept; none if all fit."""
    room, wanted = free - floor, 0
    for one in sorted(demands, key=lambda demand: (demand.end, demand.start)):
        before, wanted = wanted, wanted + one.bytes
        if wanted > room:
            share = 0.0 if before >= room else (room - before) / max(1, one.bytes)
            full_at = one.start + (one.end - one.start) * share
            return [
                _shortage(Kind.DISK, full_at, one.end, wanted=wanted, available=max(0, room), demands=[one]),
            ]
    return []


def _shortage(
    kind: Kind, start: datetime, end: datetime, *, wanted: int, available: int, demands: Iterable[Demand]
) -> Shortage:
    named = list(demands)
    return Shortage(
        kind=kind,
        start=start,
        end=end,
        wanted=wanted,
        available=available,
        titles=tuple(one.title for one in named),
        bookings=tuple(one.booking for one in named if one.booking is not None),
    )


def _longer(first: Shortage, then: Shortage) -> Shortage:
    return Shortage(
        kind=first.kind,
        start=first.start,
        end=then.end,
        wanted=max(first.wanted, then.wanted),
        available=first.available,
        titles=first.titles,
        bookings=first.bookings,
    )
