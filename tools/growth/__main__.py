"""`python -m tools.growth MINUTES`: one JSON line, as benchmarks print it."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from tools.growth import run

GOAL_SECONDS = 5.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("minutes", type=float, nargs="?", default=10)
    parser.add_argument("--megabits", type=float, default=16)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="nephos-growth-") as folder:
        found = run.measure(Path(folder), seconds=int(chosen.minutes * 60), bits_per_second=chosen.megabits * 1e6)
    met = found.seconds < GOAL_SECONDS and found.is_same
    figure = {"name": "delivered after its end", "value": found.seconds, "unit": "s", "goal": GOAL_SECONDS, "met": met}
    sys.stdout.write(json.dumps(figure | asdict(found)) + "\n")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
