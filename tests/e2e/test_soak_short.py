"""The shortest soak: twenty channels for half a minute under fire, with a clock that is set, to the packet."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


def test_twenty_channels_under_fire_lose_nothing_that_is_not_listed() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tools.soak", "0.6", "--seed", "3"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=540,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["recordings"] >= 20
