"""Every pair of states of the farm's tables."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from nephos.core.states import Table
from nephos.farm import states

MOVES = {
    "job": (
        states.JOB,
        "queued>running queued>paused queued>done queued>failed queued>cancelled running>paused running>done "
        "running>failed running>cancelled paused>queued paused>done paused>failed paused>cancelled failed>queued "
        "cancelled>queued",
    ),
    "task": (
        states.TASK,
        "waiting>ready waiting>cancelled ready>running ready>cancelled running>ready running>done running>failed "
        "running>cancelled failed>waiting cancelled>waiting",
    ),
    "attempt": (
        states.ATTEMPT,
        "dispatched>running dispatched>lost dispatched>cancelled running>done running>failed running>lost "
        "running>cancelled",
    ),
    "worker": (states.WORKER, "online>lost lost>online"),
}


@pytest.mark.parametrize("kind", MOVES)
def test_only_these_moves_are_allowed(kind: str) -> None:
    table: Table[Any]
    table, text = MOVES[kind]
    wanted = set(text.split())

    for before, after in product(type(table.first), repeat=2):
        assert table.allows(before, after) == (f"{before}>{after}" in wanted), f"{before}>{after}"


def test_an_attempt_that_is_over_stays_over() -> None:
    assert states.ATTEMPT.ends() == set(states.AttemptState) - states.ATTEMPT_LIVE
