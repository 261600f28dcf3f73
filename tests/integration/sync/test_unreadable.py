"""What cannot be read here, clocks that jump, folders in folders: told as what it is, and nothing is lost for it."""

from __future__ import annotations

import errno
import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from nephos.config.errors import ConfigError
from nephos.lib import clock
from nephos.sync import fingerprints, journal, mappings, paths, queries, removals
from nephos.sync.states import Action, PathState
from tests.fakes.s3 import S3Server
from tests.fakes.sync import Station


@pytest.mark.parametrize("kind", ["file", "s3"])
def test_a_file_that_may_not_be_read_is_held_for_that_reason_and_the_others_pass(
    station: Station, inbox: Path, tmp_path: Path, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    if kind == "s3":
        station.connect("there", "s3", "bench/in", s3_server.options())
    else:
        station.connect("there", "file", str(tmp_path / "there"))
    station.watch("inbox", "there", folder=inbox)
    for name in ("closed", "open"):
        (inbox / name).write_bytes(b"content")
    opened = os.open
    closed = [True]

    def guarded(path: Any, *values: Any, **named: Any) -> int:
        if closed[0] and os.fsencode(path).endswith(b"/inbox/closed") and values[0] & os.O_NONBLOCK == 0:
            raise PermissionError(errno.EACCES, "Permission denied")  # root, who may run tests, reads everything
        return opened(path, *values, **named)

    monkeypatch.setattr(os, "open", guarded)
    with station.running():
        station.until(lambda: station.states() == {"closed": "held", "open": "delivered"})
        told = next(each.cause for each in queries.transfers(station.home) if each.path == "closed")
        closed[0] = False
        station.order("retry")
        station.until_delivered("closed")

    assert "cannot be read: Permission denied" in told


def test_of_a_folder_that_cannot_be_looked_into_nothing_is_taken_for_deleted(
    station: Station, inbox: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    station.connect("there", "file", str(tmp_path / "there"))
    station.watch("inbox", "there", folder=inbox, mode="mirror", grace_seconds=0, most_deletions_percent=100)
    for folder in ("closed", "open"):
        (inbox / folder).mkdir()
        (inbox / folder / "clip").write_bytes(b"content")
    with station.running():
        station.until_delivered("closed/clip", "open/clip")
    looked = os.scandir

    def guarded(path: Any) -> Any:
        if os.fsencode(path).endswith(b"/closed"):
            raise PermissionError(errno.EACCES, "Permission denied")
        return looked(path)

    (inbox / "open" / "clip").unlink()
    monkeypatch.setattr(os, "scandir", guarded)
    with station.running():
        station.until(lambda: "could not be read" in station.beat)
        (inbox / "later").write_bytes(b"x")
        station.until_delivered("later")
        assert (tmp_path / "there" / "closed" / "clip").exists()
        monkeypatch.setattr(os, "scandir", looked)
        station.order("rescan")
        station.until(lambda: not (tmp_path / "there" / "open" / "clip").exists())

    assert (tmp_path / "there" / "closed" / "clip").read_bytes() == b"content"


@pytest.mark.parametrize("moment", [0, -86_400 * 365, 4_000_000_000])
def test_the_time_of_a_file_may_be_any(station: Station, inbox: Path, tmp_path: Path, moment: int) -> None:
    station.connect("there", "file", str(tmp_path / "there"))
    station.watch("inbox", "there", folder=inbox)
    (inbox / "clip").write_bytes(b"content")
    os.utime(inbox / "clip", (moment, moment))

    with station.running():
        station.until_delivered("clip")

    assert int((tmp_path / "there" / "clip").stat().st_mtime) == moment


def test_a_watch_inside_a_watch_delivers_its_files_in_both(station: Station, inbox: Path, tmp_path: Path) -> None:
    (inbox / "inner").mkdir()
    (inbox / "inner" / "clip").write_bytes(b"content")
    for name, folder in (("outer", inbox), ("inner", inbox / "inner")):
        station.connect(name, "file", str(tmp_path / "there" / name))
        station.watch(name, name, folder=folder, mode="mirror", grace_seconds=0)

    with station.running():
        station.until(lambda: station.states() == {"inner/clip": "delivered", "clip": "delivered"})

    assert (tmp_path / "there" / "outer" / "inner" / "clip").exists()
    assert (tmp_path / "there" / "inner" / "clip").exists()
    assert not list((tmp_path / "there").rglob(".nephos-watch"))


def test_a_destination_that_a_link_leads_into_its_own_watch_is_refused(
    station: Station, inbox: Path, tmp_path: Path
) -> None:
    (inbox / "out").mkdir()
    (tmp_path / "link").symlink_to(inbox / "out")
    station.connect("there", "file", str(tmp_path / "link"))
    station.watch("inbox", "there", folder=inbox)
    station.write()

    with pytest.raises(ConfigError, match="into its own folder"):
        mappings.check(station.loaded.settings)


def test_a_deletion_that_is_tried_again_does_not_wait_for_a_clock_that_was_set_back(station: Station) -> None:
    version = fingerprints.Fingerprint(10, 1, 7)

    def rows(db: sqlite3.Connection) -> None:
        for name, attempts in ((b"tried", 1), (b"in its grace", 0)):
            row = paths.observe(db, paths.Sight("inbox", "there", name, b"/inbox/" + name, version))
            paths.settle(db, row)
            ready = paths.get(db, row.id)
            assert ready is not None
            moment = clock.unix() + 86_400
            paths.set_(db, ready, state=PathState.WAITING, action=Action.DELETE, observed=None)
            db.execute("UPDATE paths SET attempts = ?, next_try_at = ? WHERE id = ?", (attempts, moment, row.id))

    notes = journal.Journal(station.home.sync_database)
    notes.commit(rows)
    due = notes.commit(lambda db: removals.due(db, destination="there", watches=frozenset({"inbox"})))
    notes.close()

    assert [row.path for row in due] == [b"tried"]
