"""The time as text for the journal, which asks for it several times a file and thousands of times a second."""

from __future__ import annotations

from nephos.lib import clock

_last: tuple[int, str] = (0, "")


def stamp() -> str:
    """Now, to the millisecond; worked out once for each of them."""
    global _last
    moment = int(clock.unix() * 1000)
    known = _last
    if known[0] != moment:
        known = _last = (moment, clock.stamp(clock.now()))
    return known[1]
