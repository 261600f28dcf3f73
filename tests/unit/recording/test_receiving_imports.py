"""The recorder starts without Django, and joins before numpy is there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

MODULES = [
    "plan",
    "health",
    "segments",
    "writer",
    "timeline",
    "windows",
    "cutter",
    "track",
    "desk",
    "receiver",
    "recorder",
    "sources.address",
    "sources.align",
    "sources.bulk",
    "sources.datagrams",
    "sources.probe",
    "sources.registry",
    "sources.rtp",
    "sources.sockets",
    "sources.udp",
]


def loaded_by(*names: str) -> set[str]:
    wanted = "; ".join(f"import nephos.recording.{name}" for name in names)
    code = f"{wanted}; import sys; print(*(m for m in ('django', 'numpy', 'asyncio') if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    return set(done.stdout.split())


def test_what_writing_needs_is_loaded_before_anything_comes(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib; from nephos.lib import heartbeats; from nephos.recording import desk;"
        "folder = pathlib.Path(sys.argv[1]);"
        "one = desk.Desk(recordings=folder, floor_bytes=0, heartbeat=heartbeats.Heartbeat(folder, 'recorder'));"
        "one.start(); one.warm_up(); assert one.end(within=60); print('numpy' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True, timeout=90
    )

    assert done.stdout.split() == ["True"]


def test_no_module_of_the_receiver_loads_django() -> None:
    assert "django" not in loaded_by(*MODULES)


@pytest.mark.parametrize("heavy", ["numpy", "django"])
def test_the_recorder_joins_before_anything_heavy_is_loaded(heavy: str) -> None:
    assert heavy not in loaded_by("recorder")
