"""What a recorder leaves for the one after it, in its heartbeat: what its clocks said, and which windows are open.

So a restart is no place where time is lost: while the machine is up its monotonic clock tells how long nobody
listened, and a window that is open ends when its time has elapsed, whatever the wall clock says meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from nephos.lib import clock, heartbeats
from nephos.recording import segments, timeline, windows

_UNTOLD_SECONDS = 2.0  # of what was written, by the last heartbeat before a kill
_UNUSABLE = (KeyError, TypeError, ValueError, OverflowError)


@dataclass(frozen=True, slots=True)
class Left:
    """What the recorder before this one said last."""

    utc: float
    mono: float
    boot: str
    opened: Mapping[int, windows.Open]
    done: Mapping[int, datetime]

    @property
    def is_of_this_boot(self) -> bool:
        return bool(self.boot) and self.boot == clock.boot()

    @property
    def running(self) -> Mapping[int, windows.Open]:
        """The windows that go on by elapsed time: none after a reboot."""
        return self.opened if self.is_of_this_boot else {}


@dataclass(frozen=True, slots=True)
class Start:
    """The time with which a recorder begins, and the step of the clock since the one before it."""

    line: timeline.Timeline
    before: float | None = None  # what the clock would say had nobody set it; None if nobody did


def told(line: timeline.Timeline, mono: float, all_windows: Iterable[windows.Windows]) -> dict[str, Any]:
    """For the heartbeat."""
    known = list(all_windows)
    return {
        "clock": {"utc": round(line.utc(mono), 3), "mono": round(mono, 3), "boot": clock.boot()},
        "windows": [[w.booking, clock.stamp(w.end), round(w.ends_mono, 3)] for one in known for w in one.opened],
        "done": [[booking, clock.stamp(end)] for one in known for booking, end in one.done.items()],
    }


def read(run: Path) -> Left | None:
    """What the last heartbeat says, None if it says nothing of the kind."""
    return of_beat(heartbeats.read(run, "recorder") or {})


def of_beat(beat: Mapping[str, Any]) -> Left | None:
    """What a heartbeat says, None if it says nothing of the kind."""
    try:
        details = beat["details"]
        opened = [windows.Open(int(one), clock.parse(end), float(mono)) for one, end, mono in details["windows"]]
        return Left(
            utc=float(details["clock"]["utc"]),
            mono=float(details["clock"]["mono"]),
            boot=str(details["clock"]["boot"]),
            opened={one.booking: one for one in opened},
            done={int(booking): clock.parse(end) for booking, end in details["done"]},
        )
    except _UNUSABLE:
        return None


def from_disk(recordings: Path) -> Left | None:
    """Where there is no heartbeat: when something was written last. None if nothing ever was."""
    newest = [
        found[-1] for place in recordings.glob(f"*/{segments.FOLDER}") if (found := segments.list_segments(place))
    ]
    if not newest:
        return None
    last = max(newest, key=lambda one: (one.era, one.start))
    # All that was written is told by that, unlike by a heartbeat.
    return Left(utc=last.path.stat().st_mtime - _UNTOLD_SECONDS, mono=0.0, boot="", opened={}, done={})


def start(now: timeline.Reading, left: Left | None) -> Start:
    """Go on with the time of the recorder before, or with another one if the clock was set meanwhile."""
    if left is None:
        return Start(timeline.Timeline.at(now))
    if left.is_of_this_boot and now.mono >= left.mono:
        due = left.utc + (now.mono - left.mono)
        if abs(now.wall - due) <= timeline.STEP.total_seconds():
            return Start(timeline.Timeline(wall=due, mono=now.mono))
        return Start(timeline.Timeline.at(now), before=due)
    # How long the machine was off nobody knows: only a clock that was set back can be told.
    least = left.utc + _UNTOLD_SECONDS
    if now.wall >= left.utc:
        return Start(timeline.Timeline(wall=max(now.wall, least), mono=now.mono))
    return Start(timeline.Timeline.at(now), before=least)


def now_of(run: Path, booking: int) -> datetime | None:
    """The time as an open window counts it, which is another than the wall clock's if that was set meanwhile."""
    left = read(run)
    if left is None or booking not in left.running:
        return None
    running = left.opened[booking]
    return timeline.moment(running.end.timestamp() - (running.ends_mono - clock.elapsed()))
