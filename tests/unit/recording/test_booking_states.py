"""The life of a booking."""

from __future__ import annotations

import itertools

from nephos.recording.states import BOOKING, OPEN, BookingState

ALLOWED = {
    ("planned", "recording"),
    ("planned", "missed"),
    ("planned", "skipped"),
    ("planned", "cancelled"),
    ("recording", "recorded"),
    ("recording", "cancelled"),
    ("missed", "planned"),
}


def test_every_pair_of_states_is_allowed_or_not_as_written_here() -> None:
    pairs = {
        (str(before), str(after))
        for before, after in itertools.product(BookingState, BookingState)
        if BOOKING.allows(before, after)
    }

    assert pairs == ALLOWED


def test_open_bookings_are_those_that_may_still_be_received() -> None:
    assert {str(state) for state in OPEN} == {"planned", "recording"}
    assert BOOKING.first == BookingState.PLANNED
    assert {str(state) for state in BOOKING.ends()} == {"recorded", "skipped", "cancelled"}
