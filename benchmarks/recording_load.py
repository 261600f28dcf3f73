"""Many streams at once: byte-identical files, no kernel drops, CPU against multicat doing the same, memory a stream.

`python benchmarks/recording_load.py [--seconds 60]`. On loopback the kernel charges its receive path to the sender, for
both. The two record side by side: one after the other, what else the machine did at the time decided the ratio.
"""

from __future__ import annotations

import argparse
import contextlib
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import recording_stage as stage

from nephos.recording import plan

CASES = ((20, 8e6), (100, 4e6))
_REST_SECONDS = 1.0  # after the last datagram: what is still on its way to the disk counts, too


@dataclass
class Run:
    """What one recorder did."""

    cpu_percent: float  # of a core, a stream
    pss_bytes: float  # a stream
    identical: int
    drops: int = 0
    unwritten: int = 0
    late_ms: float = 0


def record(on: stage.Stage, count: int, rate: float, seconds: float) -> tuple[Run, Run | None]:
    """Ours and multicat's (if it is there), of the same datagrams at the same moments: other work slows both alike."""
    start = datetime.fromtimestamp(int(time.time()), UTC)
    window = plan.Window(1, start, start + timedelta(seconds=seconds + 300))
    loaded = on.home([stage.channel(n, [window]) for n in range(count)], pre_roll=0)
    folder = on.root / "multicat"
    with stage.recorder(loaded) as pid, multicat(folder, count if shutil.which("multicat") else 0) as peers:
        stage.wait_joined(count, sockets=2 if peers else 1)
        time.sleep(2)  # numpy is loaded, the first seconds are written
        before = [stage.cpu_seconds(pid), sum(map(stage.cpu_seconds, peers))]
        with on.sending(count, rate, seconds) as process:
            datagrams, late = said(process)
        time.sleep(_REST_SECONDS)
        after = [stage.cpu_seconds(pid), sum(map(stage.cpu_seconds, peers))]
        memory = [stage.pss_bytes(pid), sum(map(stage.pss_bytes, peers))]
    # Of a second of the stream: on a busy machine the sender takes longer, the work of the recorders is the same.
    length = datagrams * stage.DATAGRAM * 8 / rate
    cpu = [(now - then) / length / count * 100 for then, now in zip(before, after, strict=True)]
    run = Run(cpu[0], memory[0] / count, 0, late_ms=late)
    for number in range(count):
        content = b"".join(one.path.read_bytes() for one in stage.parts(loaded, number))
        run.identical += not on.differs(content, datagrams)
        run.drops += sum(second.drops for second in stage.seconds_of(loaded, number))
        run.unwritten += sum(second.unwritten for second in stage.seconds_of(loaded, number))
    on.drop(loaded)
    if not peers:
        return run, None
    same = sum(not on.differs((folder / f"{n}.ts").read_bytes(), datagrams) for n in range(count))
    shutil.rmtree(folder)
    return run, Run(cpu[1], memory[1] / count, same)


@contextlib.contextmanager
def multicat(folder: Path, count: int) -> Iterator[list[int]]:
    """So many of it, one for each group."""
    folder.mkdir()
    processes = [
        subprocess.Popen(
            ["multicat", "-u", f"@{stage.group(n)}:{stage.PORT}/ifaddr={stage.LOOPBACK}", str(folder / f"{n}.ts")],
            stderr=subprocess.DEVNULL,
        )
        for n in range(count)
    ]
    try:
        yield [one.pid for one in processes]
    finally:
        for one in processes:
            one.terminate()
        for one in processes:
            one.wait(10)


def said(process: subprocess.Popen[bytes]) -> tuple[int, float]:
    """Datagrams a stream, and the sender's worst lateness in milliseconds."""
    assert process.stdout is not None
    datagrams, late = process.stdout.readline().split()
    return int(datagrams), float(late) / 1000


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seconds", type=float, default=60)
    options = arguments.parse_args()
    with stage.Stage() as on:
        for count, rate in CASES:
            what = f"{count} x {rate / 1e6:.0f} Mb/s"
            run, peer = record(on, count, rate, options.seconds)
            cpu, memory = (peer.cpu_percent, peer.pss_bytes / 2**20) if peer else (None, None)
            stage.figure(f"{what}: files that differ", count - run.identical, "files", goal=0)
            stage.figure(f"{what}: kernel drops", run.drops, "datagrams", goal=0)
            stage.figure(f"{what}: not written, because the disk stood still", run.unwritten / 2**20, "MiB", goal=0)
            stage.figure(f"{what}: CPU a stream", run.cpu_percent, "% of a core", peer=cpu, goal=0.4, goal_is="ratio")
            stage.figure(f"{what}: memory a stream", run.pss_bytes / 2**20, "MiB", peer=memory)
            stage.figure(f"{what}: the sender was late by at most", run.late_ms, "ms")
            if peer:
                stage.figure(f"{what}: files of multicat that differ", count - peer.identical, "files")


if __name__ == "__main__":
    main()
