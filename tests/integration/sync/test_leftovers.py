"""What attempts leave behind when nobody will go on with them: it is removed, and nothing that belongs to others."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from nephos.sync import fingerprints, journal, leftovers, paths
from nephos.sync.connections import base
from nephos.sync.connections.s3 import connection as s3
from nephos.sync.states import Action, PathState
from tests.fakes import sync
from tests.fakes.proxy import Proxy
from tests.fakes.s3 import S3Server
from tests.fakes.sync import Station

MIB = 1 << 20
VERSION = fingerprints.Fingerprint(10, 1, 7)


@pytest.fixture
def notes(station: Station) -> Iterator[journal.Journal]:
    opened = journal.Journal(station.home.sync_database)
    yield opened
    opened.close()


@pytest.mark.parametrize("mode", ["keep", "mirror"])
@pytest.mark.parametrize("action", [Action.SEND, Action.MOVE])
def test_a_file_that_went_while_it_was_sent_is_not_sent_for_ever_after_a_crash(
    notes: journal.Journal, mode: str, action: Action
) -> None:
    def crash_while_sending(db: sqlite3.Connection) -> int:
        db.execute("INSERT INTO mappings VALUES ('inbox', 'there', '', ?)", (mode,))
        row = paths.observe(db, paths.Sight("inbox", "there", b"clip", b"/inbox/clip", VERSION))
        paths.settle(db, row)
        paths.begin(db, row, VERSION)
        sending = paths.get(db, row.id)
        assert sending is not None
        paths.set_(db, sending, action=action)
        paths.vanish(db, sending)
        return row.id

    number = notes.commit(crash_while_sending)
    notes.commit(paths.recover)

    row = notes.commit(lambda db: paths.get(db, number))
    if mode == "keep":
        assert row is None
        assert [left.path for left in notes.commit(lambda db: leftovers.of(db, "there"))] == ["clip"]
    else:
        assert row is not None
        assert (row.state, row.action) == (PathState.SETTLING, Action.DELETE)


@pytest.fixture
def cloud(station: Station, inbox: Path, proxy: Proxy, s3_server: S3Server) -> Iterator[s3.S3Connection]:
    station.tables["sync"] = {
        "settle_seconds": 0.2,
        "single_put_bytes": 2 * MIB,
        "part_bytes": 5 * MIB,
        "part_threads": 1,
    }
    station.connect("cloud", "s3", "bench/in", s3_server.options(endpoint=proxy.endpoint))
    station.watch("inbox", "cloud", folder=inbox, mode="mirror", grace_seconds=0, most_deletions_percent=100)
    tuning = base.Tuning(single_put_bytes=2 * MIB, part_bytes=5 * MIB, part_threads=1)
    opened = s3.open_("cloud", s3_server.options(), "bench/in", None, tuning)
    assert isinstance(opened, s3.S3Connection)
    yield opened
    opened.close()


def unfinished(connection: s3.S3Connection) -> set[str]:
    """Ids of uploads in parts that the server still keeps."""
    answer = connection._calls._ask("GET", "", {"uploads": ""}, {}, stop=base.NEVER)
    return set(re.findall(r"<UploadId>([^<]+)<", answer.body.decode()))


@pytest.mark.parametrize("ending", ["shrinks", "vanishes", "changes"])
def test_an_upload_that_is_given_up_is_aborted_and_those_of_others_are_not(
    station: Station, inbox: Path, proxy: Proxy, cloud: s3.S3Connection, ending: str
) -> None:
    others = cloud._calls.create("in/clip", headers={}, stop=base.NEVER)
    (inbox / "clip").write_bytes(os.urandom(30 * MIB))
    proxy.bytes_per_second = 20 * MIB
    process = station.spawn()
    station.until(lambda: len(proxy.acknowledged()) >= 1)
    sync.kill(process)
    proxy.bytes_per_second = 0
    proxy.settle()
    assert len(unfinished(cloud)) == 2

    match ending:
        case "shrinks":
            (inbox / "clip").write_bytes(b"small now")
        case "vanishes":
            (inbox / "clip").unlink()
        case "changes":
            (inbox / "clip").write_bytes(os.urandom(12 * MIB))
    with station.running():
        station.until(lambda: unfinished(cloud) == {others})
        station.until(lambda: station.states() == ({} if ending == "vanishes" else {"clip": "delivered"}))

    found = cloud.look("clip")
    size = (inbox / "clip").stat().st_size if ending != "vanishes" else None
    assert (found.bytes if found else None) == size


def test_a_hidden_file_of_a_killed_delivery_is_removed_with_its_folder(
    station: Station, inbox: Path, tmp_path: Path, notes: journal.Journal
) -> None:
    shelf = tmp_path / "shelf"
    (shelf / "sub").mkdir(parents=True)
    for name in (".clip.41.part", ".clip.42.part"):
        (shelf / "sub" / name).write_bytes(b"half")
    noted = "INSERT INTO leftovers (destination, path, handle, item) VALUES ('shelf', ?, x'', 41)"
    notes.commit(lambda db: db.execute(noted, (b"sub/clip",)))
    station.connect("shelf", "file", str(shelf))
    station.watch("inbox", "shelf", folder=inbox)

    with station.running():
        station.until(lambda: not (shelf / "sub" / ".clip.41.part").exists())

    assert (shelf / "sub" / ".clip.42.part").exists()  # nobody said that it is ours
