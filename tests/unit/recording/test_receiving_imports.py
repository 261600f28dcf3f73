"""The recorder starts without Django, and joins before numpy is there."""

from __future__ import annotations

import subprocess
import sys

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


def test_no_module_of_the_receiver_loads_django() -> None:
    assert "django" not in loaded_by(*MODULES)


@pytest.mark.parametrize("heavy", ["numpy", "django"])
def test_the_recorder_joins_before_anything_heavy_is_loaded(heavy: str) -> None:
    assert heavy not in loaded_by("recorder")
