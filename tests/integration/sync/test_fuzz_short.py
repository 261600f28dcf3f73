"""The short form of `make fuzz-sync`: other seeds each day, told when they fail."""

from __future__ import annotations

import time

import pytest

from tests.fuzz import sync_model

TODAY = int(time.time() / 86400) * 100


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["file", "s3"])
@pytest.mark.parametrize("number", range(3))
def test_the_far_side_equals_the_folder_whatever_happened(kind: str, number: int) -> None:
    sync_model.play(seed=TODAY + number, kind=kind)
