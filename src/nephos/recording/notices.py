"""What happened to a stream that is no fault of the recording but matters to who cuts or processes it; pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from nephos.lib import clock, text
from nephos.recording import cuts

_KINDS = (
    ("maps", "programme-map", "The programme map changed: streams may have come, gone or moved."),
    ("jumps", "clock-jump", "The programme's clock jumped."),
    ("wraps", "clock-wrap", "The programme's clock began anew, as it does every 26.5 hours."),
)
MOST = 1000


def find(strip: Sequence[cuts.Strip], steps: Sequence[cuts.Step] = ()) -> list[dict[str, Any]]:
    """For the manifest: when, what, and where in the file that second begins; at most a thousand."""
    found = [
        {"at": clock.stamp(one.second.utc), "kind": kind, "text": words, "count": count, "offset": one.offset}
        for one in strip
        for column, kind, words in _KINDS
        if (count := getattr(one.second, column, 0))
    ]
    found += [_step(one, strip) for one in steps]
    return sorted(found, key=lambda one: str(one["at"]))[:MOST]


def _step(step: cuts.Step, strip: Sequence[cuts.Strip]) -> dict[str, Any]:
    way = "forward" if step.after > step.before else "back"
    length = text.duration(timedelta(seconds=round(abs(step.after - step.before).total_seconds(), 1)))
    words = (
        f"The clock of this station was set {way} by {length}, from {step.before:%H:%M:%S} to {step.after:%H:%M:%S} "
        "UTC. The recording kept the time it had begun with: nothing is missing or doubled for that."
    )
    offset = next((one.offset for one in strip if one.second.utc >= step.at), strip[-1].offset if strip else 0)
    return {"at": clock.stamp(step.at), "kind": "clock-step", "text": words, "count": 1, "offset": offset}
