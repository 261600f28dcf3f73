"""Keys and passwords are in no log, no database, no heartbeat: whether they are right, wrong or missing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes import s3, sftp, sync
from tests.fakes.s3 import S3Server
from tests.fakes.sync import Station

WRONG = "a-wrong-key-that-is-nobodys-business"


@pytest.fixture
def phone(tmp_path: Path) -> Iterator[sftp.Phone]:
    with sftp.phoning(tmp_path / "phone") as serving:
        yield serving


def kept(folder: Path) -> bytes:
    """Everything that a station wrote down."""
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def test_no_secret_is_anywhere_in_a_home(
    station: Station, inbox: Path, tmp_path: Path, s3_server: S3Server, phone: sftp.Phone
) -> None:
    wrong = tmp_path / "wrong"
    wrong.touch(mode=0o600)
    wrong.write_text(WRONG)
    (inbox / "clip").write_bytes(b"content")
    station.connect("cloud", "s3", "bench/right", s3_server.options())
    station.connect("closed", "s3", "bench/wrong", s3_server.options() | {"secret_key": f"file:{wrong}"})
    station.connect("phone", "sftp", "/in", phone.options())
    station.connect("shut", "sftp", "/in", phone.options() | {"password": f"file:{wrong}"})
    station.connect("lost", "sftp", "/in", phone.options() | {"password": "env:NEPHOS_TEST_NO_SUCH_SECRET"})
    phone.trust(station.home.sync_database.parent)
    places = ("cloud", "closed", "phone", "shut", "lost")
    station.watch("inbox", *places, folder=inbox)

    process = station.spawn()
    try:
        for place in ("cloud", "phone"):
            station.until(lambda place=place: station.states(place) == {"clip": "delivered"})  # type: ignore[misc]
        station.until(lambda: all(word in station.beat for word in ("let us in", "NEPHOS_TEST_NO_SUCH_SECRET")))
        station.until(lambda: station.beat.count("let us") >= 2)
    finally:
        sync.end(process)

    everything = kept(station.root)
    assert b"Transfer" in everything or b"deliver" in everything  # it is the right folder
    for secret in (s3.SECRET_KEY, sftp.PASSWORD, WRONG):
        assert secret.encode() not in everything
