"""A role that breaks down says so once, wherever it can be said."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

BREAK = """
import sys
from nephos.core import logs
from nephos.daemon import __main__ as edge, roles

def break_down(*_given, **_more):
    raise ValueError("for good")

if sys.argv[2] == "late":
    roles._work = break_down
else:
    logs.setup = break_down
sys.exit(edge.main("sync", sys.argv[1]))
"""


@pytest.mark.parametrize("when", ["late", "early"])
def test_the_trace_is_told_once(tmp_path: Path, when: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", BREAK, str(tmp_path), when], capture_output=True, text=True, timeout=60, check=False
    )
    log = tmp_path / "logs/sync.log"
    told = (log.read_text() if log.exists() else "") if when == "late" else done.stderr

    assert done.returncode == 1
    assert told.count("Traceback") == 1
    assert told.count("ValueError: for good") == 1
