"""The stepper: what each state of an asset looks like on its way."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from nephos.library.states import AssetState, Door

AT = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)


def view(state: AssetState, *, door: Door = Door.RECORDING, verdict: str = "complete") -> Any:
    from nephos.library import queries

    recording = queries.RecordingView(AT, AT, AT, AT, verdict, "", 100, [], {}) if door == Door.RECORDING else None
    return queries.AssetView(
        id=1, door=door, title="News", state=state, state_at=AT, reason="", channel="La 1", channel_id=1, watch="",
        pipeline="archive", folder="la-1/x", stem="x", tags=[], created_at=AT, arrived_at=AT, processed_at=AT,
        delivered_at=AT, recording=recording,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("state", "states"),
    [
        (AssetState.ARRIVING, ["done", "running", "todo", "todo"]),
        (AssetState.EMPTY, ["done", "failed", "cancelled", "cancelled"]),
        (AssetState.ARRIVED, ["done", "complete", "waiting", "todo"]),
        (AssetState.PROCESSING, ["done", "complete", "running", "todo"]),
        (AssetState.FAILED, ["done", "complete", "failed", "todo"]),
        (AssetState.PROCESSED, ["done", "complete", "done", "todo"]),
        (AssetState.DELIVERING, ["done", "complete", "done", "running"]),
        (AssetState.DELIVERED, ["done", "complete", "done", "done"]),
    ],
)
def test_every_state_has_its_steps(state: AssetState, states: list[str]) -> None:
    from nephos.web import journeys

    found = journeys.steps(view(state), booked_at=AT)

    assert [step.word for step in found] == ["Booked", "Recorded", "Processed", "Delivered"]
    assert [step.state for step in found] == states


def test_a_file_set_was_never_booked() -> None:
    from nephos.web import journeys

    found = journeys.steps(view(AssetState.DELIVERED, door=Door.FILE_SET))

    assert [step.word for step in found] == ["Arrived", "Processed", "Delivered"]


def test_the_verdict_colours_the_recorded_step() -> None:
    from nephos.web import journeys

    recorded = journeys.steps(view(AssetState.ARRIVED, verdict="complete_with_gaps"))[1]

    assert (recorded.look.tone, recorded.note) == ("warn", "complete with gaps")


def test_a_processed_asset_that_nobody_delivers_says_so() -> None:
    from nephos.web import journeys

    assert journeys.steps(view(AssetState.PROCESSED), is_watched=False)[-1].note == "no watch asks for it"
