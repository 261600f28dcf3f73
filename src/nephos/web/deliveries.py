"""Where the copies of a set are, and what proves it: paths and receipts by destination."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from nephos.config.home import Home
from nephos.sync import queries
from nephos.sync.states import PathState


@dataclass(frozen=True, slots=True)
class Copy:
    """One file at one destination."""

    name: str
    state: str
    bytes: int
    percent: int
    cause: str
    next_try_at: datetime | None
    receipt: queries.Receipt | None


@dataclass(frozen=True, slots=True)
class Delivery:
    """A set at one destination."""

    destination: str
    watch: str
    state: str
    delivered: int
    copies: list[Copy]


def of_set(home: Home, set_id: str) -> list[Delivery]:
    """The deliveries of a set, each destination once, in the order of their names."""
    choice = queries.Choice(set_id=set_id)
    proofs: dict[tuple[str, str, str], queries.Receipt] = {}
    for receipt in queries.receipts(home, choice):
        proofs.setdefault((receipt.watch, receipt.destination, receipt.path), receipt)
    found: dict[tuple[str, str], list[Copy]] = {}
    for one in sorted(queries.transfers(home, choice, limit=1000), key=lambda one: one.path):
        proof = proofs.get((one.watch, one.destination, one.path))
        found.setdefault((one.destination, one.watch), []).append(_copy(one, proof))
    return [_delivery(*place, copies) for place, copies in sorted(found.items())]


def _copy(one: queries.Transfer, receipt: queries.Receipt | None) -> Copy:
    done = one.bytes if one.state == PathState.DELIVERED else one.bytes_done
    return Copy(
        name=one.path.rsplit("/", 1)[-1],
        state=one.state,
        bytes=one.bytes,
        percent=round(100 * done / one.bytes) if one.bytes else 100,
        cause=one.cause,
        next_try_at=one.next_try_at,
        receipt=receipt,
    )


# The worst state of its files is the state of a delivery.
_ORDER = (
    PathState.HELD,
    PathState.WAITING,
    PathState.SENDING,
    PathState.VERIFYING,
    PathState.READY,
    PathState.SETTLING,
    PathState.DELIVERED,
)


def _delivery(destination: str, watch: str, copies: list[Copy]) -> Delivery:
    state = min((PathState(copy.state) for copy in copies), key=_ORDER.index)
    delivered = sum(copy.state == PathState.DELIVERED for copy in copies)
    return Delivery(destination, watch, state, delivered, copies)
