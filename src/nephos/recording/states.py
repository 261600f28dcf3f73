"""States of a booking; pure."""

from enum import StrEnum

from nephos.core.states import Table


class BookingState(StrEnum):
    """Where one planned airing stands."""

    PLANNED = "planned"
    RECORDING = "recording"  # the receiver is on it
    RECORDED = "recorded"  # its recording has a verdict, even if that is "empty"
    MISSED = "missed"  # its time passed and nobody listened
    SKIPPED = "skipped"  # a person did not want this one
    CANCELLED = "cancelled"  # stopped before anything was received


BOOKING = Table(
    first=BookingState.PLANNED,
    moves={
        BookingState.PLANNED: frozenset(
            {BookingState.RECORDING, BookingState.MISSED, BookingState.SKIPPED, BookingState.CANCELLED}
        ),
        BookingState.RECORDING: frozenset({BookingState.RECORDED, BookingState.CANCELLED}),
        BookingState.MISSED: frozenset({BookingState.PLANNED}),  # the clock was wrong and is set back
    },
)

OPEN = frozenset({BookingState.PLANNED, BookingState.RECORDING})
