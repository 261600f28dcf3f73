"""Space decides who may begin: below the soft floor nothing by hand, and nothing of low priority.

What is planned stays planned and is held back, so that it begins late if space comes back while it airs.
"""

from __future__ import annotations

from collections.abc import Iterable

from nephos.config.load import Loaded
from nephos.lib import clock, files, text
from nephos.recording import errors as recording_errors
from nephos.recording import states
from nephos.recording.models import Booking


def priority(booking: Booking) -> int:
    """More goes first; what a person ordered by hand has the usual one."""
    return booking.schedule.priority if booking.schedule else 0


def held_back(loaded: Loaded, planned: Iterable[Booking]) -> set[int]:
    """Which of these planned bookings may not begin now. Each is told why, once, and when that is over."""
    low = [row for row in planned if row.state == states.BookingState.PLANNED and priority(row) < 0]
    if not low:
        return set()
    is_short = free_bytes(loaded) < loaded.settings.recording.soft_floor_bytes
    reason = f"Held back: {_shortage(loaded)}" if is_short else ""
    for row in low:
        if bool(row.reason) != is_short:
            Booking.objects.filter(pk=row.pk, state=states.BookingState.PLANNED).update(reason=reason)
    return {row.pk for row in low} if is_short else set()


def check(loaded: Loaded) -> None:
    """Before somebody records by hand. Raises NoSpace below the soft floor."""
    if free_bytes(loaded) < loaded.settings.recording.soft_floor_bytes:
        raise recording_errors.NoSpace(
            f"Nothing new is begun: {_shortage(loaded)}",
            hint="Free some space, or lower [recording] soft_floor_bytes. What is scheduled goes on.",
        )


def check_for_join(loaded: Loaded, needed_bytes: int) -> None:
    """A joined file may not take the space of what is on the air; its segments are safe and wait. Raises NoSpace."""
    left = free_bytes(loaded) - needed_bytes
    if left < 0:
        raise recording_errors.NoSpace(f"It is received, and is put together when {text.size(-left)} more are free.")
    running = Booking.objects.filter(state=states.BookingState.RECORDING, to_at__gt=clock.now())
    if left < loaded.settings.recording.hard_floor_bytes and running.exists():
        raise recording_errors.NoSpace(
            f"It is received, and is put together when {text.size(needed_bytes)} more are free.",
            hint="Or when nothing else is being recorded.",
        )


def has_room_for_buffers(loaded: Loaded) -> bool:
    """A rolling buffer never costs a recording its space: below the soft floor there is none."""
    return free_bytes(loaded) >= loaded.settings.recording.soft_floor_bytes


def free_bytes(loaded: Loaded) -> int:
    """Free space where recordings go."""
    folder = loaded.home.recordings
    return files.free_bytes(folder if folder.exists() else loaded.home.root)


def _shortage(loaded: Loaded) -> str:
    free, floor = free_bytes(loaded), loaded.settings.recording.soft_floor_bytes
    return f"{text.size(free)} are free, and the soft floor is {text.size(floor)}."
