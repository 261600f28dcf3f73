"""A station for each e2e test, ended with it whatever happens."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.s3 import s3_server  # noqa: F401 - a fixture
from tests.support.station import Station

ARTEFACTS = Path(os.environ.get("NEPHOS_ARTEFACTS", Path(__file__).parents[2] / "artefacts"))


@pytest.fixture
def station(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Station]:
    """A home with nothing in it; the test starts it. Its logs are kept when the test fails."""
    made = Station(tmp_path / "home")
    yield made
    made.stop()
    if request.session.testsfailed and (made.root / "logs").is_dir():
        keep = ARTEFACTS / request.node.name
        shutil.copytree(made.root / "logs", keep, dirs_exist_ok=True)
        if made.output.exists():
            shutil.copy(made.output, keep / "start.out")


@pytest.fixture
def artefacts() -> Path:
    """Where screenshots go, for people to look at after a CI run."""
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    return ARTEFACTS
