"""Which channel of ours an id of a guide means, and which programme an airing is; pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

_NOISE = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Slot:
    """A programme on one of our channels."""

    start: datetime
    end: datetime
    title: str


def channels(
    names: Mapping[str, Sequence[str]], ours: Iterable[str], chosen: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Ids of a guide to names of ours: as chosen, else by an equal name, ignoring case and punctuation."""
    known = {_plain(name): name for name in ours}
    found: dict[str, str] = {}
    for identity, shown in names.items():
        for name in (identity, identity.partition(".")[0], *shown):
            if _plain(name) in known:
                found[identity] = known[_plain(name)]
                break
    return found | dict(chosen or {})


def title(slots: Iterable[Slot], start: datetime, end: datetime) -> str | None:
    """The programme that fills at least half of this time, None if none does."""
    best = max(slots, key=lambda slot: _shared(slot, start, end), default=None)
    if best is None or _shared(best, start, end) * 2 < end - start:
        return None
    return best.title


def _shared(slot: Slot, start: datetime, end: datetime) -> timedelta:
    return max(timedelta(0), min(slot.end, end) - max(slot.start, start))


def _plain(name: str) -> str:
    return _NOISE.sub("", name.casefold())
