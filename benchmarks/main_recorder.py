"""Figures of the recorder: CPU and memory a stream, start error; multicat beside it where it is installed.

`python benchmarks/main_recorder.py [--streams 20] [--seconds 10]` prints one JSON line a figure. Loopback only: the
kernel's receive path is charged to the sender there, for both.
"""

from __future__ import annotations

import argparse
import contextlib
import ipaddress
import json
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.fakes import transport

from nephos.config import load
from nephos.recording import health, plan, segments

RATE = 4e6
LOOPBACK = "127.0.0.1"
FIRST_GROUP = ipaddress.IPv4Address("239.187.1.1")
PORT = 5187
DATAGRAM = 7 * 188
RECORDER = """
import signal, sys, threading
from pathlib import Path

import numpy as np
from nephos.config import load
from nephos.recording import recorder
stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
recorder.main(load.load(Path(sys.argv[1])), stop)
"""


def groups(count: int) -> list[str]:
    return [str(FIRST_GROUP + number) for number in range(count)]


def send(count: int, seconds: float) -> None:
    """The sender, in a process of its own: all groups in turn, evenly spaced."""
    stream = transport.stream(transport.CYCLE, bits_per_second=RATE)
    period, stream = len(stream), stream + stream[:DATAGRAM]
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    out.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(LOOPBACK))
    out.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 0)
    out.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
    targets = [(group, PORT) for group in groups(count)]
    step = DATAGRAM * 8 / RATE / count
    began, number = time.monotonic(), 0
    while (elapsed := time.monotonic() - began) < seconds:
        due = int(elapsed / step)
        for k in range(number, due):
            place = k // count * DATAGRAM % period
            out.sendto(stream[place : place + DATAGRAM], targets[k % count])
        number = max(number, due)
        time.sleep(0.001)


@contextlib.contextmanager
def sender(count: int, seconds: float) -> Iterator[None]:
    process = subprocess.Popen([sys.executable, __file__, "--send", str(seconds), "--streams", str(count)])
    time.sleep(0.5)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def cpu_seconds(pid: int) -> float:
    """Of all threads, in nanosecond resolution."""
    total = 0
    for task in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        total += int(task.read_text().split()[0])
    return total / 1e9


def memory_bytes(pid: int) -> tuple[int, int]:
    """Proportional share now, and the most resident ever."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    pss = next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
    status = Path(f"/proc/{pid}/status").read_text()
    peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:"))
    return pss * 1024, peak * 1024


@contextlib.contextmanager
def recorder(root: Path, count: int, start: datetime, end: datetime, pre_roll: float) -> Iterator[int]:
    loaded = load.load(root, environment={})
    loaded.home.create()
    loaded.home.config_file.write_text(f"[recording]\npre_roll_seconds = {pre_roll}\n")
    channels = tuple(
        plan.Channel(f"c{n:03d}", f"c{n}", f"udp://{group}:{PORT}", LOOPBACK, (plan.Window(n, start, end),))
        for n, group in enumerate(groups(count))
    )
    plan.write(loaded.home.plan_file, plan.Plan(made_at=start, channels=channels))
    process = subprocess.Popen([sys.executable, "-c", RECORDER, str(root)])
    try:
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(5)


def measure_recorder(count: int, seconds: float, pre_roll: float) -> dict[str, float]:
    start = datetime.fromtimestamp(int(time.time()) + 4, UTC) + timedelta(seconds=0.5)
    with tempfile.TemporaryDirectory() as folder:
        with recorder(Path(folder), count, start, start + timedelta(seconds=seconds + 60), pre_roll) as pid:
            time.sleep(max(0.0, start.timestamp() - time.time()) + 1)
            cpu, wall = cpu_seconds(pid), time.monotonic()
            time.sleep(seconds)
            cpu, wall = cpu_seconds(pid) - cpu, time.monotonic() - wall
            pss, peak = memory_bytes(pid)
        errors, written, lost = read_back(Path(folder), count, start)
    return {
        "cpu_percent": cpu / wall / count * 100,
        "pss": pss / count,
        "peak": peak / count,
        "start_error_ms": max(errors) * 1000,
        "start_error_median_ms": statistics.median(errors) * 1000,
        "bytes": written,
        "lost": lost,
    }


def read_back(root: Path, count: int, start: datetime) -> tuple[list[float], int, int]:
    """Per stream the lateness of the first byte of the wanted time; all bytes; errors and kernel drops."""
    errors, written, lost = [], 0, 0
    for number in range(count):
        seconds = [
            second
            for segment in segments.list_segments(segments.folder(root / "recordings", f"c{number:03d}"))
            for second in segments.read_journal(segment.journal).seconds
        ]
        arrivals = [s.utc + timedelta(seconds=s.first) for s in seconds if s.first is not None]
        errors.append(max(0.0, (min(arrivals) - start).total_seconds()) if arrivals else 999.0)
        written += sum(s.bytes for s in seconds)
        lost += sum(s.cc + s.drops for s in seconds)
    return errors, written, lost


def measure_multicat(count: int, seconds: float) -> float:
    with tempfile.TemporaryDirectory() as folder:
        processes = [
            subprocess.Popen(
                ["multicat", "-u", f"@{group}:{PORT}/ifaddr={LOOPBACK}", f"{folder}/{n}.ts"], stderr=subprocess.DEVNULL
            )
            for n, group in enumerate(groups(count))
        ]
        time.sleep(1)
        cpu, wall = sum(cpu_seconds(p.pid) for p in processes), time.monotonic()
        time.sleep(seconds)
        cpu, wall = sum(cpu_seconds(p.pid) for p in processes) - cpu, time.monotonic() - wall
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(5)
    return cpu / wall / count * 100


def measure_health() -> float:
    """Percent of a core for 8 Mb/s, judged a second at a time as the recorder does."""
    stream = np.frombuffer(transport.stream(transport.CYCLE), dtype=np.uint8)
    second = int(8e6 / 8 / 188) * 188
    blocks = [stream[i : i + second] for i in range(0, stream.size - second, second)]
    judge, began = health.Health(), time.process_time()
    for _ in range(10):
        for block in blocks:
            judge.feed(health.heads(block))
    return (time.process_time() - began) / 10 / len(blocks) * 100


def figure(name: str, value: float, unit: str, *, peer: float | None = None, goal: float | None = None) -> None:
    ratio = round(value / peer, 3) if peer else None
    met = None if goal is None else value <= goal
    line = {"name": name, "value": round(value, 4), "unit": unit, "peer": peer and round(peer, 4), "ratio": ratio}
    print(json.dumps(line | {"goal": goal, "met": met}), flush=True)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--streams", type=int, default=20)
    arguments.add_argument("--seconds", type=float, default=10)
    arguments.add_argument("--send", type=float, default=0, help=argparse.SUPPRESS)
    options = arguments.parse_args()
    count, seconds = options.streams, options.seconds
    if options.send:
        send(count, options.send)
        return
    with sender(count, 3 * seconds + 60):
        ours = measure_recorder(count, seconds, pre_roll=3)
        theirs = measure_multicat(count, seconds) if shutil.which("multicat") else None
        unrolled = measure_recorder(count, 2, pre_roll=0)
    figure("recorder CPU a 4 Mb/s stream", ours["cpu_percent"], "% of a core", peer=theirs, goal=1.0)
    figure("health of 8 Mb/s", measure_health(), "% of a core", goal=0.35)
    figure("continuity errors and kernel drops", ours["lost"], "packets", goal=0)
    figure("recorder memory a stream, its share now", ours["pss"] / 2**20, "MiB")
    figure("recorder memory a stream, most ever", ours["peak"] / 2**20, "MiB")
    figure("start error with pre-roll, worst", ours["start_error_ms"], "ms", goal=4)
    figure("start error without pre-roll, median", unrolled["start_error_median_ms"], "ms")
    figure("start error without pre-roll, worst", unrolled["start_error_ms"], "ms", goal=50)


if __name__ == "__main__":
    main()
