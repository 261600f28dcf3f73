"""The short form of `make fuzz-sync`: other seeds each day, told when they fail."""

from __future__ import annotations

import time

import pytest

from tests.fuzz import far, sync_model

TODAY = int(time.time() / 86400) * 100
KINDS = [far.KINDS[number % len(far.KINDS)] for number in range(40)]


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("number", range(5))
def test_each_far_side_equals_its_folder_whatever_happened(number: int) -> None:
    """Two hundred runs in all, forty at a time."""
    sync_model.play(seed=TODAY + number, kinds=KINDS)
