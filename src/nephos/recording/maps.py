"""Picks the packets of tables out of a stream, for a programme map that is always up to date."""

from __future__ import annotations

import numpy as np

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
        found = self.tables
        if found.wanted is not self._wanted_pids:
            self._wanted_pids = found.wanted
            self._wanted.fill(0)
            self._wanted[list(self._wanted_pids)] = 1
        pids = ((heads[:, 1] & 0x1F).astype(np.uint16) << 8) | heads[:, 2]
        before = found.changes
        for place in np.flatnonzero(self._wanted[pids])[:_MOST_PACKETS].tolist():
            found.feed(packets[place * health.PACKET_BYTES : (place + 1) * health.PACKET_BYTES].tobytes())
        return found.changes - before
