"""What happened to a stream that is no fault of the recording but matters to who cuts or processes it; pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nephos.lib import clock
from nephos.recording import cuts

_KINDS = (
    ("maps", "programme-map", "The programme map changed: streams may have come, gone or moved."),
    ("jumps", "clock-jump", "The programme's clock jumped."),
    ("wraps", "clock-wrap", "The programme's clock began anew, as it does every 26.5 hours."),
)
MOST = 1000


def find(strip: Sequence[cuts.Strip]) -> list[dict[str, Any]]:
    """For the manifest: when, what, and where in the file that second begins; at most a thousand."""
    found = [
        {"at": clock.stamp(one.second.utc), "kind": kind, "text": text, "count": count, "offset": one.offset}
        for one in strip
        for column, kind, text in _KINDS
        if (count := getattr(one.second, column, 0))
    ]
    return found[:MOST]
