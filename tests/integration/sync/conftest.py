"""Stations that only sync."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes import pipe
from tests.fakes import proxy as proxy_fake
from tests.fakes.s3 import S3Server, s3_server
from tests.fakes.sftp import SftpServer, sftp_server
from tests.fakes.sync import Station

__all__ = ["s3_server", "sftp_server"]


@pytest.fixture
def station(tmp_path: Path) -> Station:
    return Station(tmp_path / "home")


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


@pytest.fixture
def proxy(s3_server: S3Server) -> Iterator[proxy_fake.Proxy]:
    with proxy_fake.proxying(s3_server.port) as running:
        yield running


@pytest.fixture
def link(sftp_server: SftpServer) -> Iterator[pipe.Pipe]:
    """The way to the SFTP server, which can be slowed, stopped and cut."""
    with pipe.piping(sftp_server.port) as running:
        yield running


@pytest.fixture
def archive(station: Station, inbox: Path, link: pipe.Pipe, sftp_server: SftpServer) -> Station:
    """A folder that goes to the SFTP server by the link."""
    station.connect("archive", "sftp", f"{sftp_server.root}/in", sftp_server.options(port=link.port))
    station.watch("inbox", "archive", folder=inbox)
    sftp_server.trust(station.home.databases, port=link.port)
    return station
