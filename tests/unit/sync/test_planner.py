"""What is to be done for a path."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nephos.sync import planner
from nephos.sync.fingerprints import Fingerprint, parse
from nephos.sync.planner import Mode
from nephos.sync.states import Action

OLD = Fingerprint(10, 1, 7)
NEW = Fingerprint(11, 2, 7)

versions = st.none() | st.builds(Fingerprint, st.integers(0, 3), st.integers(0, 3), st.integers(0, 3))


@pytest.mark.parametrize(
    ("observed", "delivered", "mode", "action"),
    [
        (None, None, Mode.KEEP, Action.NOTHING),
        (None, None, Mode.MIRROR, Action.NOTHING),
        (NEW, None, Mode.KEEP, Action.SEND),
        (NEW, OLD, Mode.KEEP, Action.SEND),
        (OLD, OLD, Mode.KEEP, Action.NOTHING),
        (None, OLD, Mode.KEEP, Action.NOTHING),
        (None, OLD, Mode.MIRROR, Action.DELETE),
        (OLD, OLD, Mode.MIRROR, Action.NOTHING),
    ],
)
def test_observed_against_delivered(
    observed: Fingerprint | None, delivered: Fingerprint | None, mode: Mode, action: Action
) -> None:
    assert planner.plan(observed=observed, delivered=delivered, mode=mode) is action


def test_a_name_that_appears_with_a_delivered_version_is_a_move() -> None:
    assert planner.plan(observed=OLD, delivered=None, moved_from=OLD) is Action.MOVE
    assert planner.plan(observed=NEW, delivered=None, moved_from=OLD) is Action.SEND
    assert planner.plan(observed=OLD, delivered=NEW, moved_from=OLD) is Action.SEND


@given(observed=versions, delivered=versions)
def test_what_is_kept_is_never_deleted(observed: Fingerprint | None, delivered: Fingerprint | None) -> None:
    assert planner.plan(observed=observed, delivered=delivered, mode=Mode.KEEP) is not Action.DELETE


@given(observed=versions, delivered=versions, mode=st.sampled_from(Mode))
def test_a_plan_that_was_carried_out_leaves_nothing_to_do(
    observed: Fingerprint | None, delivered: Fingerprint | None, mode: Mode
) -> None:
    action = planner.plan(observed=observed, delivered=delivered, mode=mode)

    after = {Action.SEND: observed, Action.DELETE: None}.get(action, delivered)

    assert planner.plan(observed=observed, delivered=after, mode=mode) is Action.NOTHING


@given(versions)
def test_a_fingerprint_survives_being_written_down(version: Fingerprint | None) -> None:
    assert parse(None if version is None else str(version)) == version
