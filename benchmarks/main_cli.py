"""Figures of the command line: what a command costs to start, beside an interpreter that does nothing.

`python benchmarks/main_cli.py [--runs 15]` prints one JSON line a figure; medians of wall and CPU time.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PLAIN = [sys.executable, "-c", "pass"]
NEPHOS = [sys.executable, "-m", "nephos"]


def cost(argv: list[str], environment: dict[str, str], runs: int) -> tuple[float, float]:
    """Median wall and CPU seconds; the first run fills the caches and does not count."""
    walls, cpus = [], []
    for number in range(runs + 1):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        begun = time.monotonic()
        subprocess.run(argv, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        wall, after = time.monotonic() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
        if number:
            walls.append(wall)
            used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            cpus.append(used)
    return statistics.median(walls), statistics.median(cpus)


def figure(name: str, value: float, unit: str, peer: float | None = None) -> None:
    """One line."""
    line = {
        "name": name,
        "value": round(value, 4),
        "unit": unit,
        "peer": round(peer, 4) if peer is not None else None,
        "ratio": round(value / peer, 2) if peer else None,
        "goal": None,
        "met": None,
    }
    print(json.dumps(line), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=15)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as folder:
        environment = {key: value for key, value in os.environ.items() if not key.startswith("NEPHOS_")}
        environment["NEPHOS_HOME"] = str(Path(folder) / "home")
        subprocess.run([*NEPHOS, "init"], env=environment, check=True, capture_output=True)
        bare_wall, bare_cpu = cost(PLAIN, environment, runs)
        figure("cli: python alone, wall", bare_wall, "s")
        figure("cli: python alone, CPU", bare_cpu, "s")
        for words in (["version"], ["--help"]):
            wall, cpu = cost([*NEPHOS, *words], environment, runs)
            figure(f"cli: nephos {' '.join(words)}, wall", wall, "s", bare_wall)
            figure(f"cli: nephos {' '.join(words)}, CPU", cpu, "s", bare_cpu)
        wall, cpu = cost([*NEPHOS, "channel", "list"], environment, max(3, runs // 5))
        figure("cli: nephos channel list, station stopped, wall", wall, "s", bare_wall)
        figure("cli: nephos channel list, station stopped, CPU", cpu, "s", bare_cpu)
        with_station(environment, runs, bare_wall, bare_cpu)


def with_station(environment: dict[str, str], runs: int, bare_wall: float, bare_cpu: float) -> None:
    """The same with the page running, so that the command only speaks over the socket."""
    environment = {**environment, "NEPHOS_WEB_PORT": "0"}
    web = subprocess.Popen(
        [*NEPHOS, "run", "web"], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 60
        socket = Path(environment["NEPHOS_HOME"]) / "run/api.sock"
        while not socket.exists():
            if time.monotonic() > deadline or web.poll() is not None:
                raise SystemExit("The page did not come up.")
            time.sleep(0.1)
        wall, cpu = cost([*NEPHOS, "channel", "list"], environment, runs)
        figure("cli: nephos channel list, station running, wall", wall, "s", bare_wall)
        figure("cli: nephos channel list, station running, CPU", cpu, "s", bare_cpu)
    finally:
        web.terminate()
        web.wait(timeout=30)


if __name__ == "__main__":
    main()
