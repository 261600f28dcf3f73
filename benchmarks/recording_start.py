"""How late the first bytes are, 20 channels at once: quiet, with both cores busy, and with pre-roll.

`python benchmarks/recording_start.py [--rounds 5]`. Each channel's first arrival against the scheduled start, from the
health journal, whose resolution is a millisecond.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import recording_stage as stage

from nephos.config import load
from nephos.recording import plan

COUNT = 20
RATE = 8e6
_EVERY = timedelta(seconds=5)
_LENGTH = timedelta(seconds=2)


@contextlib.contextmanager
def busy() -> Iterator[None]:
    """Every core has something else to do."""
    spinning = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for one in spinning:
            one.kill()
            one.wait()


def record(on: stage.Stage, rounds: int, pre_roll: float) -> tuple[load.Loaded, list[plan.Window]]:
    """All windows recorded; the recorder runs before the first begins."""
    first = datetime.fromtimestamp(int(time.time()) + 6, UTC) + timedelta(seconds=0.3)
    starts = [first + _EVERY * number for number in range(rounds)]
    windows = [plan.Window(number, start, start + _LENGTH) for number, start in enumerate(starts)]
    loaded = on.home([stage.channel(n, windows) for n in range(COUNT)], pre_roll=pre_roll)
    length = (windows[-1].end - first).total_seconds() + 8
    with on.sending(COUNT, RATE, length + 5), stage.recorder(loaded):
        time.sleep(length)
    return loaded, windows


def lateness(on: stage.Stage, rounds: int) -> list[float]:
    """Of every channel at every start, in milliseconds."""
    loaded, windows = record(on, rounds, pre_roll=0)
    late: list[float] = []
    for number in range(COUNT):
        came = [s.utc + timedelta(seconds=s.first) for s in stage.seconds_of(loaded, number) if s.first is not None]
        for window in windows:
            inside = [one for one in came if window.start <= one < window.end]
            late.append((min(inside) - window.start).total_seconds() * 1000 if inside else 9999.0)
    on.drop(loaded)
    return sorted(late)


def covered(on: stage.Stage) -> int:
    """How many channels hold the wanted span from before its start to its end, no second of it empty or broken."""
    loaded, (window,) = record(on, 1, pre_roll=3)
    whole = 0
    for number in range(COUNT):
        seconds = stage.seconds_of(loaded, number)
        came = [s.utc + timedelta(seconds=s.first) for s in seconds if s.first is not None]
        inside = [s for s in seconds if window.start <= s.utc < window.end - timedelta(seconds=1)]
        is_whole = all(s.bytes and not s.cc and not s.drops for s in inside) and len(inside) >= 1
        whole += bool(came) and min(came) <= window.start and is_whole
    on.drop(loaded)
    return whole


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=int, default=5)
    options = arguments.parse_args()
    with stage.Stage() as on:
        quiet = lateness(on, options.rounds)
        with busy():
            loud = lateness(on, options.rounds)
        whole = covered(on)
    for name, late, goal in (("quiet", quiet, 30), ("both cores busy", loud, 100)):
        stage.figure(f"first byte after the start, {name}, median", late[len(late) // 2], "ms")
        stage.figure(f"first byte after the start, {name}, p99", late[int(len(late) * 0.99) - 1], "ms", goal=goal)
    stage.figure("wanted span not covered with pre-roll", COUNT - whole, "channels of 20", goal=0)


if __name__ == "__main__":
    main()
