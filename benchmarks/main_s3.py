"""Upload speed of the whole engine (journal, receipts, proof) against tuned `rclone copy` on one `rclone serve s3`.

    python benchmarks/main_s3.py [ROUNDS]

Ours and the peer alternate. One JSON line a figure on stdout, for the table in the README. Our time runs from the start
of the process to the receipt of the last file; our CPU is all of the process, its start and its end too.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.fakes import s3
from tests.fakes.sync import Station

from nephos.sync import queries
from nephos.sync.states import PathState

MIB = 1 << 20
WORKLOADS = {"one file of 512 MiB": (1, 512 * MIB), "500 files of 10 KiB": (500, 10 * 1024)}
WALL_GOALS = {"one file of 512 MiB": 0.55, "500 files of 10 KiB": 0.75}
CPU_GOAL = 0.35


@dataclass(frozen=True)
class Run:
    """One contender, one time."""

    wall_seconds: float
    cpu_seconds: float
    peak_mib: float
    proof: str = ""


def main() -> None:
    """Measure and print."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
    folder = Path(tempfile.mkdtemp(prefix="nephos-bench-", dir=memory))
    try:
        with s3.serving(folder / "s3") as server:
            for name, (count, size) in WORKLOADS.items():
                source = make(folder / "source", count, size)
                report(name, alternate(server, source, count, folder, rounds))
                shutil.rmtree(source)
    finally:
        shutil.rmtree(folder)


def make(source: Path, count: int, size: int) -> Path:
    """Files of chance, so that nothing can be compressed or taken for another."""
    source.mkdir()
    for number in range(count):
        with (source / f"file {number:05}").open("wb") as stream:
            for _ in range(max(1, size // MIB)):
                stream.write(os.urandom(min(size, MIB)))
    return source


def alternate(server: s3.S3Server, source: Path, count: int, folder: Path, rounds: int) -> dict[str, list[Run]]:
    """The contenders in turn, so that whatever else runs on the machine meets all of them."""
    contenders: dict[str, Callable[[int], Run]] = {
        "nephos": lambda number: ours(server, source, count, folder / f"home-{number}", verify="auto"),
        "nephos, not read back": lambda number: ours(server, source, count, folder / f"home-n{number}", verify="none"),
        "rclone": lambda number: peer(server, source, f"r{number}"),
    }
    runs: dict[str, list[Run]] = {name: [] for name in contenders}
    for number in range(rounds):
        for name, contender in contenders.items():
            runs[name].append(contender(number))
            for place in server.bucket.iterdir():
                shutil.rmtree(place)
    return runs


def ours(server: s3.S3Server, source: Path, count: int, home: Path, *, verify: str) -> Run:
    """The engine in a process of its own, on a fresh home."""
    station = Station(home)
    station.tables["sync"] = {"settle_seconds": 0}
    station.tables["logging"] = {"level": "warning"}
    station.connect("cloud", "s3", f"{s3.BUCKET}/{home.name}", server.options(), verify=verify)
    station.watch("source", "cloud", folder=source)
    began = time.monotonic()
    process = station.spawn()
    while sum(each.paths.get(PathState.DELIVERED, 0) for each in queries.watches(station.home)) < count:
        assert process.poll() is None, "the engine ended"
        time.sleep(0.01)
    wall = time.monotonic() - began
    proof = str(queries.receipts(station.home, limit=1)[0].proof)
    process.terminate()
    used = os.wait4(process.pid, 0)[2]
    process.returncode = 0
    shutil.rmtree(home)
    return Run(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, proof)


def peer(server: s3.S3Server, source: Path, prefix: str) -> Run:
    """`rclone copy` with the flags that measured best."""
    remote = f":s3,provider=Other,endpoint='{server.endpoint}',region=us-east-1:{s3.BUCKET}/{prefix}"
    argv = [s3.rclone(), "copy", str(source), remote, "--config", os.devnull, "--stats", "0", "-q"]
    argv += ["--s3-access-key-id", s3.ACCESS_KEY, "--s3-secret-access-key", s3.SECRET_KEY]
    argv += ["--s3-no-check-bucket", "--no-traverse", "--no-check-dest", "--s3-no-head", "--s3-disable-checksum"]
    argv += ["--transfers", "16", "--checkers", "16", "--s3-upload-concurrency", "4", "--s3-chunk-size", "16M"]
    began = time.monotonic()
    process = subprocess.Popen(argv)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.monotonic() - began
    assert process.returncode == 0, "rclone failed"
    return Run(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, "its own checks off")


def report(workload: str, runs: dict[str, list[Run]]) -> None:
    """Medians against the peer's."""
    rclone = runs["rclone"]
    for name in ("nephos", "nephos, not read back"):
        own = runs[name]
        label = f"S3 upload, {workload}, proof {own[0].proof}"
        goal = WALL_GOALS[workload]
        figure(f"{label}: wall", median(own, "wall_seconds"), "s", median(rclone, "wall_seconds"), goal)
        figure(f"{label}: client CPU", median(own, "cpu_seconds"), "s", median(rclone, "cpu_seconds"), CPU_GOAL)
        figure(f"{label}: peak memory", median(own, "peak_mib"), "MiB", median(rclone, "peak_mib"), None)


def median(runs: list[Run], field: str) -> float:
    return statistics.median(getattr(run, field) for run in runs)


def figure(name: str, value: float, unit: str, peer_value: float, goal: float | None) -> None:
    """One JSON line. The goals are those of the later issue: they bind nobody yet."""
    ratio = value / peer_value
    line = {
        "name": name,
        "value": round(value, 3),
        "unit": unit,
        "peer": round(peer_value, 3),
        "ratio": round(ratio, 2),
    }
    print(json.dumps({**line, "goal": goal, "met": None if goal is None else ratio <= goal}), flush=True)


if __name__ == "__main__":
    main()
