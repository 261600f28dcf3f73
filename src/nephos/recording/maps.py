"""Picks the packets of tables out of a stream, for a programme map that is always up to date."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nephos.recording import health, tables

_MOST_PACKETS = 32  # looked at of each batch: tables come ten times a second, a flood of them is no use
_PIDS = 8192


class Reader:
    """Looks at every batch; costs a few numpy operations of it."""

    def __init__(self) -> None:
        self.tables = tables.Tables()
        self._wanted_pids: frozenset[int] = frozenset()
        self._wanted = np.zeros(_PIDS, dtype=np.bool_)

    def look(self, packets: health.Bytes, heads: health.Bytes) -> int:
        """How often the map changed in these packets."""
        before = self.tables.changes
        pids: NDArray[np.uint16] = heads[:, 1:3].copy().view(">u2").ravel() & np.uint16(health.NULL_PID)
        place, left = 0, _MOST_PACKETS
        while place < len(pids) and left > 0:  # again after each list that came: its tables may follow at once
            place, left = self._feed(packets, pids, place, left)
        return self.tables.changes - before

    def _feed(self, packets: health.Bytes, pids: NDArray[np.uint16], start: int, most: int) -> tuple[int, int]:
        """Read tables until the wanted PIDs become others; where that was, and how many packets may yet be read."""
        if self.tables.wanted is not self._wanted_pids:
            self._wanted_pids = self.tables.wanted
            self._wanted.fill(0)
            self._wanted[list(self._wanted_pids)] = 1
        for place in (self._wanted.take(pids[start:]).nonzero()[0][:most] + start).tolist():
            self.tables.feed(packets[place * health.PACKET_BYTES : (place + 1) * health.PACKET_BYTES].tobytes())
            most -= 1
            if self.tables.wanted is not self._wanted_pids:
                return place + 1, most
        return len(pids), most
