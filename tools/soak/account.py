"""The account: what was sent while a recording ran is in it, or in a hole that its gap map lists."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tools.soak import air

_TINY_SECONDS = 1.0  # shorter holes are continuity errors, not gaps
_EDGES_SECONDS = 3.0  # of a window in which its first and last packets may come, on a busy machine


@dataclass(slots=True)
class Account:
    """One recording, or the sum of many."""

    sent: int = 0
    recorded: int = 0
    in_gaps: int = 0
    counted: int = 0  # lost in holes under a second, which the counters tell
    unexplained: int = 0
    gaps: int = 0
    faults: list[str] = field(default_factory=list)

    def add(self, other: Account) -> None:
        """Sum up."""
        for name in ("sent", "recorded", "in_gaps", "counted", "unexplained", "gaps"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.faults += other.faults

    @property
    def balances(self) -> bool:
        return self.sent == self.recorded + self.in_gaps + self.counted and not self.faults


def of(row: dict[str, Any], root: Path, channel: air.Channel) -> Account:
    """The account of one recording."""
    paths = {file["kind"]: root / file["place"] / file["path"] for file in row["files"]}
    made = Account()
    if "recording" not in paths:
        made.faults.append(f"{row['title']}: no file, {row['recording']['reason']}")
        return made
    manifest = json.loads(paths["recording-manifest"].read_bytes())
    packets = np.frombuffer(paths["recording"].read_bytes(), np.uint8).reshape(-1, air.PACKET_BYTES)
    sequence = packets[:, 4:12].copy().view(">i8").reshape(-1).astype(np.int64)
    made.gaps = len(manifest["gaps"])
    made.recorded = len(sequence)
    made.faults += _foreign(row, packets, sequence, channel)
    if made.faults:
        return made
    made.faults += _uncovered(row, manifest, len(sequence))
    sent_at = np.frombuffer(channel.sent_at, np.float64)
    first, last = int(sequence[0]), int(sequence[-1])
    made.sent = _sent(sent_at, first, last + 1)
    listed = list(_byte_ranges(manifest))
    for place in np.flatnonzero(np.diff(sequence) != 1):
        begin, end = int(sequence[place]) + 1, int(sequence[place + 1])
        lost, length = _sent(sent_at, begin, end), (end - begin) / air.PACKETS * air.SPACING
        offset = (int(place) + 1) * air.PACKET_BYTES
        if any(low <= offset <= high for low, high in listed):
            made.in_gaps += lost
        elif length < _TINY_SECONDS and manifest["counters"]["cc"]:
            made.counted += lost
        else:
            made.unexplained += lost
            made.faults.append(f"{row['title']}: {length:.1f} s are missing at byte {offset} and not listed")
    return made


def _uncovered(row: dict[str, Any], manifest: dict[str, Any], packets: int) -> Iterator[str]:
    """What was recorded and what is listed as missing make up the whole window."""
    length = _moment(manifest["to_at"]) - _moment(manifest["from_at"])
    covered = packets / air.PACKETS * air.SPACING + sum(gap["seconds"] for gap in manifest["gaps"])
    if covered < length - _EDGES_SECONDS:
        yield f"{row['title']}: {length - covered:.1f} s of {length:.0f} s are neither recorded nor listed"


def _foreign(
    row: dict[str, Any], packets: NDArray[np.uint8], sequence: NDArray[np.int64], channel: air.Channel
) -> Iterator[str]:
    if not (packets[:, 0] == 0x47).all():
        yield f"{row['title']}: packets out of step"
    if not (packets[:, 12].astype(int) * 256 + packets[:, 13] == channel.number).all():
        yield f"{row['title']}: packets of another channel"
    if not (np.diff(sequence) > 0).all():
        yield f"{row['title']}: packets twice or out of order"


def _sent(sent_at: NDArray[np.float64], begin: int, end: int) -> int:
    """How many of these packets went out; a recording may begin and end inside a datagram."""
    went = sent_at[begin // air.PACKETS : -(-end // air.PACKETS)] != air.NOT_SENT
    counts = went.astype(int) * air.PACKETS
    if len(counts):
        counts[0] -= (begin % air.PACKETS) * int(went[0])
        counts[-1] -= (-end % air.PACKETS) * int(went[-1])
    return int(counts.sum())


def _byte_ranges(manifest: dict[str, Any]) -> Iterator[tuple[int, int]]:
    """Where in the file each gap lies: between the seconds that it touches."""
    seconds = [(_moment(utc), offset, size) for utc, offset, size, _ in manifest["seconds"]]
    for gap in manifest["gaps"]:
        start, end = _moment(gap["start"]), _moment(gap["end"])
        before = [offset for utc, offset, _ in seconds if utc <= start]
        behind = [offset + size for utc, offset, size in seconds if utc + 1 >= end]
        yield (max(before, default=0), min(behind, default=manifest["bytes"]))


def _moment(stamp: str) -> float:
    return datetime.fromisoformat(stamp).timestamp()
