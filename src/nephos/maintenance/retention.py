"""Which assets may go, and why the others may not. Pure: what is known goes in, a plan comes out.

Nothing that is not delivered and proven is ever chosen: every file, at every destination, by a receipt of proof
`server` or `read-back` for exactly the content that the station knows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from nephos.config import upkeep
from nephos.lib import text
from nephos.sync.states import Proof

SAFE = frozenset({Proof.SERVER, Proof.READ_BACK})


@dataclass(frozen=True, slots=True)
class Held:
    """A file on this machine."""

    name: str  # as it was handed over: folder/stem.mp4
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Proven:
    """What a receipt says."""

    watch: str
    destination: str
    name: str
    size_bytes: int
    sha256: str
    proof: Proof


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An asset with all that matters for its deletion."""

    id: int
    title: str
    group: str  # keep_count counts within: the channel, or the watch of a file set
    is_delivered: bool
    is_kept: bool  # a person protects it
    delivered_at: datetime | None
    files: Sequence[Held]
    receipts: Sequence[Proven]  # the newest of each name and destination
    wanted: Mapping[str, Sequence[str]]  # watch -> its destinations
    is_elsewhere: bool = False  # it has files in a folder of somebody else, which are not ours to remove

    @property
    def size_bytes(self) -> int:
        return sum(file.size_bytes for file in self.files)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of an asset and why."""

    id: int
    title: str
    size_bytes: int
    goes: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Room:
    """The volume that is to be kept free."""

    free_bytes: int
    wanted_bytes: int = 0


@dataclass(slots=True)
class _Tally:
    """How many newer ones of a group were seen, and how much will be free."""

    free_bytes: int
    newer: dict[str, int] = field(default_factory=lambda: defaultdict(int))


def unproven(asset: Candidate) -> str:
    """Why an asset may not be deleted, empty if it may."""
    bars = (
        (asset.is_kept, "it is to be kept"),
        (not asset.is_delivered or asset.delivered_at is None, "it is not delivered"),
        (asset.is_elsewhere, "its files lie in a watched folder, which is not ours to clean"),
        (not asset.files, "it has no files here"),
        (
            not asset.wanted or not all(asset.wanted.values()),
            "no watch of the settings names where it was delivered",
        ),
    )
    return next((reason for is_so, reason in bars if is_so), "") or _missing_proof(asset)


def _missing_proof(asset: Candidate) -> str:
    known = {(one.watch, one.destination, one.name): one for one in asset.receipts}
    places = [(watch, place) for watch, destinations in asset.wanted.items() for place in destinations]
    doubts = (
        _doubt(file, known.get((watch, place, file.name)), place) for watch, place in places for file in asset.files
    )
    return next((doubt for doubt in doubts if doubt), "")


def _doubt(file: Held, receipt: Proven | None, destination: str) -> str:
    if receipt is None:
        return f"{file.name} has no receipt of {destination}"
    if receipt.proof not in SAFE:
        return f"{file.name} is at {destination} by the word of the transport only, it was not read back"
    if not receipt.sha256:
        return f"{file.name} at {destination} was taken in pieces, and its receipt holds no checksum of the whole"
    if not file.sha256 or receipt.sha256 != file.sha256 or receipt.size_bytes != file.size_bytes:
        return f"{file.name} at {destination} is not what is here"
    return ""


def unread(asset: Candidate) -> list[Proven]:
    """What is at its destination by a weaker word than a deletion needs, of which reading it back would be proof."""
    return [one for one in asset.receipts if one.proof not in SAFE and one.sha256]


def as_if_read(asset: Candidate) -> Candidate:
    """The same, if all of that had been read back and found to be right."""
    return replace(asset, receipts=[replace(one, proof=Proof.READ_BACK) for one in asset.receipts])


def plan(assets: Iterable[Candidate], *, settings: upkeep.Retention, now: datetime, room: Room) -> list[Verdict]:
    """A verdict for each asset, newest first. What goes, goes in the order from the end of the list."""
    newest = sorted(assets, key=lambda one: (one.delivered_at or now, one.id), reverse=True)
    tally = _Tally(room.free_bytes)
    chosen: dict[int, str] = {}
    for asset in newest:
        if reason := _by_rule(asset, settings, now, tally):
            chosen[asset.id] = reason
    tally.free_bytes += sum(one.size_bytes for one in newest if one.id in chosen)
    chosen |= _for_room(newest, chosen, settings, now, room, tally)
    return [_verdict(asset, chosen.get(asset.id, "")) for asset in newest]


def _by_rule(asset: Candidate, settings: upkeep.Retention, now: datetime, tally: _Tally) -> str:
    """Why the rules would let it go; every asset counts as one that is here, deletable or not."""
    keep = _rules(asset, settings)
    newer = tally.newer[asset.group]
    tally.newer[asset.group] += 1
    if unproven(asset) or _is_young(asset, settings, now):
        return ""
    assert asset.delivered_at is not None  # noqa: S101 - proven
    age = now - asset.delivered_at
    if keep.keep_days and age > timedelta(days=keep.keep_days):
        return f"it was delivered {text.duration(age)} ago, more than {keep.keep_days:g} days"
    if keep.keep_count and newer >= keep.keep_count:
        return f"{newer} newer ones of {asset.group} are here, {keep.keep_count} are kept"
    return ""


def _for_room(
    newest: Sequence[Candidate],
    chosen: Mapping[int, str],
    settings: upkeep.Retention,
    now: datetime,
    room: Room,
    tally: _Tally,
) -> dict[int, str]:
    found: dict[int, str] = {}
    for asset in reversed(newest):
        if tally.free_bytes >= room.wanted_bytes:
            break
        if asset.id in chosen or unproven(asset) or _is_young(asset, settings, now):
            continue
        found[asset.id] = f"less than {text.size(room.wanted_bytes)} is free, and it is the oldest"
        tally.free_bytes += asset.size_bytes
    return found


def _rules(asset: Candidate, settings: upkeep.Retention) -> upkeep.Keep:
    """Those of its watches that have some, else the station's; of several the one that keeps longer."""
    own = [settings.watch[name] for name in asset.wanted if name in settings.watch]
    if not own:
        return upkeep.Keep(keep_days=settings.keep_days, keep_count=settings.keep_count)
    return upkeep.Keep(
        keep_days=0 if any(not one.keep_days for one in own) else max(one.keep_days for one in own),
        keep_count=0 if any(not one.keep_count for one in own) else max(one.keep_count for one in own),
    )


def _is_young(asset: Candidate, settings: upkeep.Retention, now: datetime) -> bool:
    return asset.delivered_at is None or now - asset.delivered_at < timedelta(hours=settings.least_hours)


def _verdict(asset: Candidate, reason: str) -> Verdict:
    if reason:
        return Verdict(asset.id, asset.title, asset.size_bytes, goes=True, reason=reason)
    why_not = unproven(asset) or "no rule lets it go"
    return Verdict(asset.id, asset.title, asset.size_bytes, goes=False, reason=why_not)
