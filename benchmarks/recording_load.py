"""Many streams at once: byte-identical files, no kernel drops, CPU against multicat doing the same, memory a stream.

`python benchmarks/recording_load.py [--seconds 60]`. On loopback the kernel charges its receive path to the sender, for
both. The two record one after the other what the same sender sends at the same rate.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

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


def ours(on: stage.Stage, count: int, rate: float, seconds: float) -> Run:
    start = datetime.fromtimestamp(int(time.time()), UTC)
    window = plan.Window(1, start, start + timedelta(seconds=seconds + 300))
    loaded = on.home([stage.channel(n, [window]) for n in range(count)], pre_roll=0)
    with stage.recorder(loaded) as pid:
        stage.wait_joined(count)
        time.sleep(2)  # numpy is loaded, the first seconds are written
        before = stage.cpu_seconds(pid)
        with on.sending(count, rate, seconds) as process:
            datagrams, late = said(process)
            time.sleep(_REST_SECONDS)
            cpu = stage.cpu_seconds(pid) - before
        pss = stage.pss_bytes(pid)
    identical = drops = unwritten = 0
    for number in range(count):
        content = b"".join(one.path.read_bytes() for one in stage.parts(loaded, number))
        identical += not on.differs(content, datagrams)
        seconds_of = stage.seconds_of(loaded, number)
        drops += sum(second.drops for second in seconds_of)
        unwritten += sum(second.unwritten for second in seconds_of)
    on.drop(loaded)
    return Run(cpu / length_of(datagrams, rate) / count * 100, pss / count, identical, drops, unwritten, late)


def multicat(on: stage.Stage, count: int, rate: float, seconds: float) -> Run:
    folder = on.root / "multicat"
    folder.mkdir()
    processes = [
        subprocess.Popen(
            ["multicat", "-u", f"@{stage.group(n)}:{stage.PORT}/ifaddr={stage.LOOPBACK}", str(folder / f"{n}.ts")],
            stderr=subprocess.DEVNULL,
        )
        for n in range(count)
    ]
    stage.wait_joined(count)
    time.sleep(2)
    before = sum(stage.cpu_seconds(p.pid) for p in processes)
    with on.sending(count, rate, seconds) as process:
        datagrams, late = said(process)
        time.sleep(_REST_SECONDS)
        cpu = sum(stage.cpu_seconds(p.pid) for p in processes) - before
    pss = sum(stage.pss_bytes(p.pid) for p in processes)
    for one in processes:
        one.terminate()
    for one in processes:
        one.wait(10)
    identical = sum(not on.differs((folder / f"{n}.ts").read_bytes(), datagrams) for n in range(count))
    shutil.rmtree(folder)
    return Run(cpu / length_of(datagrams, rate) / count * 100, pss / count, identical, late_ms=late)


def length_of(datagrams: int, rate: float) -> float:
    """Seconds of the stream. On a busy machine the sender takes longer; the work for the two recorders is the same."""
    return datagrams * stage.DATAGRAM * 8 / rate


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
            peer = multicat(on, count, rate, options.seconds) if shutil.which("multicat") else None
            run = ours(on, count, rate, options.seconds)
            cpu, memory = (peer.cpu_percent, peer.pss_bytes / 2**20) if peer else (None, None)
            stage.figure(f"{what}: files that differ", count - run.identical, "files", goal=0)
            stage.figure(f"{what}: kernel drops", run.drops, "datagrams", goal=0)
            stage.figure(f"{what}: not written, because the disk stood still", run.unwritten / 2**20, "MiB", goal=0)
            stage.figure(f"{what}: CPU a stream", run.cpu_percent, "% of a core", peer=cpu, goal=0.4, goal_is="ratio")
            stage.figure(f"{what}: memory a stream", run.pss_bytes / 2**20, "MiB", peer=memory)
            stage.figure(f"{what}: the sender was late by at most", run.late_ms, "ms", peer=peer and peer.late_ms)
            if peer:
                stage.figure(f"{what}: files of multicat that differ", count - peer.identical, "files")


if __name__ == "__main__":
    main()
