"""Below the hard floor running recordings are stopped one after another, the least important first.

Below half of the hard floor the recorder itself stops writing, whatever the keeper does.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from nephos.config.live import Live
from nephos.config.load import Loaded
from nephos.core import errors as core_errors
from nephos.lib import clock
from nephos.recording import services, space, states
from nephos.recording.models import Booking

logger = logging.getLogger(__name__)

_ROOM_AGAIN = 1.1  # so that it does not flutter


class Guard:
    """Stops running bookings when the disk runs full, the least important first, and the others not with it."""

    name = "space"
    idle = timedelta(seconds=1)

    def __init__(self, loaded: Loaded) -> None:
        self._live = Live(loaded)
        self._stopped = 0

    def step(self) -> bool:
        """Look at the space, and stop one booking if there is too little."""
        loaded = self._live.current()
        hard = loaded.settings.recording.hard_floor_bytes
        free = space.free_bytes(loaded)
        if free >= hard * _ROOM_AGAIN:
            self._stopped = 0
            return False
        running = self._running()
        # The rest of the space is dealt out: each one that is stopped leaves the others some of it.
        floor = hard - hard // 2 * self._stopped // max(1, self._stopped + len(running))
        if free < floor and running:
            self._stop(running[0], free)
        return False

    def _running(self) -> list[Booking]:
        now = clock.now()
        rows = Booking.objects.filter(state=states.BookingState.RECORDING, to_at__gt=now).select_related("schedule")
        return sorted(rows, key=lambda row: (space.priority(row), -row.from_at.timestamp(), -row.pk))

    def _stop(self, booking: Booking, free: int) -> None:
        try:
            services.stop_for_space(booking=booking, free_bytes=free)
        except core_errors.StaleState:
            return  # it changed a moment ago: the next look tells
        self._stopped += 1
        logger.error("The disk is almost full, a recording was stopped", extra={"booking": booking.pk, "free": free})
