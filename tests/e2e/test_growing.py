"""A recording that goes up while it is on the air, over a line that is hardly faster, through a whole station."""

from __future__ import annotations

from pathlib import Path

from tools.growth import run

RATE = 6e6
PART = 5 << 20


def test_what_is_left_when_a_recording_ends_is_a_few_parts(tmp_path: Path) -> None:
    found = run.measure(tmp_path, seconds=30, bits_per_second=RATE)

    assert found.is_same
    assert found.recorded_bytes > 4 * PART
    assert found.left_bytes <= 3 * PART
    assert found.sent_bytes < 1.4 * found.recorded_bytes
    assert found.uploads == 1
