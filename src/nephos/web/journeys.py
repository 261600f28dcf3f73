"""The way of an asset as steps: Booked to Recorded to Processed to Delivered; pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from nephos.library.queries import AssetView
from nephos.library.states import AssetState, Door
from nephos.web import looks


@dataclass(frozen=True, slots=True)
class Step:
    """One station of the way."""

    word: str
    state: str
    at: datetime | None
    note: str = ""

    @property
    def look(self) -> looks.Look:
        return looks.of(self.state)


_S = AssetState
_ARRIVED_STATE = {_S.ARRIVING: "running", _S.EMPTY: "failed"}
_PROCESSED_STATE = {
    _S.ARRIVING: "todo",
    _S.EMPTY: "cancelled",
    _S.ARRIVED: "waiting",
    _S.PROCESSING: "running",
    _S.FAILED: "failed",
}
_DELIVERED_STATE = {_S.DELIVERED: "done", _S.FREED: "done", _S.DELIVERING: "running", _S.EMPTY: "cancelled"}


def steps(asset: AssetView, *, booked_at: datetime | None = None, is_watched: bool = True) -> list[Step]:
    """The steps of an asset. `is_watched`: whether any watch would deliver it."""
    state = AssetState(asset.state)
    found = [Step("Booked", "done", booked_at)] if asset.door == Door.RECORDING else []
    found.append(_arrival(asset, state))
    processed = _PROCESSED_STATE.get(state, "done")
    found.append(Step("Processed", processed, asset.processed_at if processed == "done" else None, _why(asset, state)))
    delivered = _DELIVERED_STATE.get(state, "todo")
    note = "on its way" if delivered == "running" else ""
    if delivered == "todo" and not is_watched:
        note = "no watch asks for it"
    found.append(Step("Delivered", delivered, asset.delivered_at if delivered == "done" else None, note))
    if state == _S.FREED:
        found.append(Step("Freed", "freed", asset.state_at, "no longer on this machine"))
    return found


def _arrival(asset: AssetView, state: AssetState) -> Step:
    word = "Recorded" if asset.door == Door.RECORDING else "Arrived"
    if state in _ARRIVED_STATE:
        note = "nothing came" if state == _S.EMPTY else "still growing"
        return Step(word, _ARRIVED_STATE[state], None, note)
    verdict = asset.recording.verdict if asset.recording else ""
    note = looks.word(verdict) if verdict and verdict != "complete" else ""
    return Step(word, verdict or "done", asset.arrived_at, note)


def _why(asset: AssetView, state: AssetState) -> str:
    if state == _S.FAILED:
        return "gave up"
    return f"by {asset.pipeline}" if state == _S.PROCESSING and asset.pipeline else ""
