"""kill -9 right before and right after every commit of the journal, with a real OpenSSH on the other side."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.fakes.sftp import SftpServer, sftp_server
from tests.fakes.sync import Station
from tests.integration.sync import test_boundaries

__all__ = ["sftp_server"]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_kill_9_at_every_boundary_of_the_journal_on_sftp(tmp_path: Path, sftp_server: SftpServer) -> None:
    def connect(station: Station) -> Path:
        base = station.root.parent.name
        sftp_server.trust(station.home.databases)
        station.connect("there", "sftp", f"{sftp_server.root}/{base}", sftp_server.options())
        return sftp_server.root / base

    step = int(os.environ.get("NEPHOS_TEST_EVERY_BOUNDARY", "4"))  # `make endure-sftp` leaves none out
    number, killed = 0, True
    while killed:
        number += step
        killed = False
        for when in ("before", "after"):
            killed |= test_boundaries.play(tmp_path / f"{when}-{number}", connect, f"{when}:{number}")

    assert number > 2 * step
