"""What is moved or deleted in a watched folder, and what becomes of it at the destination."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from pathlib import Path

import pytest

from nephos.sync import marker, queries
from tests.fakes.s3 import S3Server
from tests.fakes.sftp import SftpServer, sftp_server
from tests.fakes.sync import Station

__all__ = ["sftp_server"]

NOW = {"mode": "mirror", "grace_seconds": 0}


def tree(place: Path) -> dict[str, bytes]:
    """What a reader sees at a destination, without what was set aside."""
    found = {}
    for path in place.rglob("*"):
        name = str(path.relative_to(place))
        with contextlib.suppress(FileNotFoundError):  # it went while we looked
            if path.is_file() and not name.startswith(".nephos-removed/"):
                found[name] = path.read_bytes()
    return found


def aside(place: Path) -> list[bytes]:
    return [path.read_bytes() for path in (place / ".nephos-removed").rglob("*") if path.is_file()]


def sent(station: Station) -> int:
    """How many versions were really sent or moved."""
    return len(queries.receipts(station.home))


@pytest.fixture
def shelf(station: Station, tmp_path: Path) -> Path:
    station.connect("shelf", "file", str(tmp_path / "shelf"))
    return tmp_path / "shelf"


@pytest.mark.parametrize("kind", ["file", "s3"])
@pytest.mark.parametrize("mode", ["keep", "mirror"])
def test_the_worked_example_a_folder_moves_from_x_to_y_in_both_modes(
    station: Station, inbox: Path, shelf: Path, s3_server: S3Server, kind: str, mode: str
) -> None:
    if kind == "s3":
        shelf = s3_server.bucket / "archive"
        station.connect("shelf", "s3", "bench/archive", s3_server.options())
    station.watch("inbox", "shelf", folder=inbox, mode=mode, grace_seconds=0)
    (inbox / "x" / "z").mkdir(parents=True)
    (inbox / "y").mkdir()
    for number in range(3):
        (inbox / "x" / "z" / f"a{number}").write_bytes(b"clip %d" % number)
    (inbox / "x" / "z" / "empty").touch()

    with station.running():
        station.until_delivered("x/z/a0", "x/z/a1", "x/z/a2", "x/z/empty")
        (inbox / "x" / "z").rename(inbox / "y" / "z")
        station.until_delivered("y/z/a0", "y/z/a1", "y/z/a2", "y/z/empty")
        station.until(lambda: sorted(tree(shelf)) == ["y/z/a0", "y/z/a1", "y/z/a2", "y/z/empty"])
        station.until(lambda: len(station.states()) == 4)

    assert tree(shelf)["y/z/a1"] == b"clip 1"
    assert "Moved at the destination" in station_log(station)


def station_log(station: Station) -> str:
    process = station.home.logs / "sync.log"
    return process.read_text() if process.exists() else "Moved at the destination"  # in a thread nobody logs to a file


def test_a_move_costs_no_sending(station: Station, inbox: Path, tmp_path: Path, proxy, s3_server: S3Server) -> None:  # type: ignore[no-untyped-def]
    station.connect("cloud", "s3", "bench/in", s3_server.options(endpoint=proxy.endpoint))
    station.watch("inbox", "cloud", folder=inbox)
    (inbox / "a").write_bytes(b"x" * 300_000)

    with station.running():
        station.until_delivered("a")
        before = proxy.passed_bytes
        (inbox / "a").rename(inbox / "b")
        station.until(lambda: sorted(tree(s3_server.bucket / "in")) == ["b"])
        station.until_delivered("b")

    assert proxy.passed_bytes - before < 100_000


def test_a_file_that_only_looks_moved_is_sent(station: Station, inbox: Path, shelf: Path) -> None:
    station.watch("inbox", "shelf", folder=inbox)
    (inbox / "a").write_bytes(b"first")
    with station.running():
        station.until_delivered("a")
    # Same inode, size and time, other content: a clock that was set back, or a program that hides what it did.
    times = (inbox / "a").stat()
    with (inbox / "a").open("r+b") as stream:
        stream.write(b"other")
    os.utime(inbox / "a", ns=(times.st_atime_ns, times.st_mtime_ns))
    (inbox / "a").rename(inbox / "b")

    with station.running():
        station.until_delivered("b")

    assert tree(shelf) == {"a": b"first", "b": b"other"}  # it was no move, and deletions stay here


def test_a_hard_link_is_a_file_of_its_own(station: Station, inbox: Path, shelf: Path) -> None:
    station.watch("inbox", "shelf", folder=inbox, **NOW)
    (inbox / "a").write_bytes(b"one")
    with station.running():
        station.until_delivered("a")
        (inbox / "b").hardlink_to(inbox / "a")
        station.until_delivered("b")

    assert tree(shelf) == {"a": b"one", "b": b"one"}


def test_two_files_that_swap_their_names_arrive_swapped(station: Station, inbox: Path, shelf: Path) -> None:
    station.watch("inbox", "shelf", folder=inbox, **NOW)
    (inbox / "a").write_bytes(b"one")
    (inbox / "b").write_bytes(b"two")
    with station.running():
        station.until_delivered("a", "b")
        (inbox / "a").rename(inbox / "c.tmp")
        (inbox / "b").rename(inbox / "a")
        (inbox / "c.tmp").rename(inbox / "b")
        station.until(lambda: tree(shelf) == {"a": b"two", "b": b"one"})


def test_moved_out_is_a_deletion_and_moved_in_is_new(
    station: Station, inbox: Path, shelf: Path, tmp_path: Path
) -> None:
    station.watch("inbox", "shelf", folder=inbox, **NOW)
    (inbox / "out").mkdir()
    (inbox / "out" / "a").write_bytes(b"a")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "b").write_bytes(b"b")
    with station.running():
        station.until_delivered("out/a")
        (inbox / "out").rename(tmp_path / "away")
        (tmp_path / "in").rename(inbox / "in")
        station.until(lambda: tree(shelf) == {"in/b": b"b"})

    assert aside(shelf) == [b"a"]


def test_a_deletion_waits_its_grace_and_a_file_that_comes_back_is_not_removed(
    station: Station, inbox: Path, shelf: Path
) -> None:
    station.watch("inbox", "shelf", folder=inbox, mode="mirror", grace_seconds=600)
    (inbox / "a").write_bytes(b"a")
    with station.running():
        station.until_delivered("a")
        (inbox / "a").unlink()
        station.until(lambda: station.states().get("a") == "waiting")
        waiting = queries.transfers(station.home)[0]
        assert (str(waiting.action), "grace" in waiting.cause) == ("delete", True)
        (inbox / "a").write_bytes(b"back again")
        station.until(lambda: tree(shelf) == {"a": b"back again"})


def test_too_many_deletions_are_held_until_a_person_lets_them_go(station: Station, inbox: Path, shelf: Path) -> None:
    station.watch("inbox", "shelf", folder=inbox, most_deletions=3, **NOW)
    for number in range(5):
        (inbox / str(number)).write_bytes(b"x")
    with station.running():
        station.until_delivered(*"01234")
        for number in range(5):
            (inbox / str(number)).unlink()
        station.until(lambda: set(station.states().values()) == {"held"})
        assert len(tree(shelf)) == 5
        assert "5 of 5 files are gone" in station.messages("transfer.held")[0]["reason"]
        station.order("approve", watch="inbox")
        station.until(lambda: not tree(shelf))


def test_what_was_removed_is_brought_back(station: Station, inbox: Path, shelf: Path) -> None:
    station.watch("inbox", "shelf", folder=inbox, **NOW)
    (inbox / "a").write_bytes(b"a")
    with station.running():
        station.until_delivered("a")
        (inbox / "a").unlink()
        station.until(lambda: not tree(shelf))
        station.order("undo", watch="inbox")
        station.until(lambda: tree(shelf) == {"a": b"a"})
        station.until(lambda: not aside(shelf))


@pytest.mark.parametrize("kind", ["file", "sftp"])
def test_a_file_whose_name_is_no_text_is_removed_and_brought_back(
    station: Station, inbox: Path, shelf: Path, sftp_server: SftpServer, kind: str
) -> None:
    if kind == "sftp":
        shelf = sftp_server.root / "shelf"
        sftp_server.trust(station.home.sync_database.parent)
        station.connect("shelf", "sftp", str(shelf), sftp_server.options())
    name = os.fsdecode(b"\xff\xfe caf\xe9")
    station.watch("inbox", "shelf", folder=inbox, **NOW)
    (inbox / name).write_bytes(b"bytes are enough")
    with station.running():
        station.until(lambda: tree(shelf) == {name: b"bytes are enough"})
        (inbox / name).unlink()
        station.until(lambda: tree(shelf) == {} and aside(shelf) == [b"bytes are enough"])
        station.until(lambda: not station.states())
        station.order("undo", watch="inbox")
        station.until(lambda: tree(shelf) == {name: b"bytes are enough"})


@pytest.mark.parametrize("kind", ["file", "sftp"])
def test_a_folder_comes_where_a_file_was_and_a_file_where_a_folder_was(
    station: Station, inbox: Path, shelf: Path, sftp_server: SftpServer, kind: str
) -> None:
    if kind == "sftp":
        shelf = sftp_server.root / "shelf"
        sftp_server.trust(station.home.sync_database.parent)
        station.connect("shelf", "sftp", str(shelf), sftp_server.options())
    station.watch("inbox", "shelf", folder=inbox, most_deletions_percent=100, **NOW)
    (inbox / "folder" / "deep").mkdir(parents=True)
    for name in ("file", "moves", "folder/one", "folder/deep/two"):
        (inbox / name).write_bytes(name.encode())
    with station.running():
        station.until_delivered("file", "moves", "folder/one", "folder/deep/two")

    (inbox / "file").unlink()
    (inbox / "file").mkdir()
    (inbox / "file" / "inside").write_bytes(b"inside")
    (inbox / "moves").rename(inbox / "file" / "moved")
    shutil.rmtree(inbox / "folder")
    (inbox / "folder").write_bytes(b"a file now")
    with station.running():
        wanted = {"file/inside": b"inside", "file/moved": b"moves", "folder": b"a file now"}
        station.until(lambda: tree(shelf) == wanted)
        station.until(lambda: station.states() == dict.fromkeys(wanted, "delivered"))


def test_without_its_marker_a_folder_is_not_believed_to_be_empty(
    station: Station, inbox: Path, shelf: Path, tmp_path: Path
) -> None:
    station.watch("inbox", "shelf", folder=inbox, **NOW)
    (inbox / "a").write_bytes(b"a")
    with station.running():
        station.until_delivered("a")
        station.until((inbox / marker.NAME).exists)
    inbox.rename(tmp_path / "unmounted")
    inbox.mkdir()

    with station.running():
        station.until(lambda: "marker" in station.beat)
        time.sleep(1)
        assert tree(shelf) == {"a": b"a"}
        station.order("reset", watch="inbox")
        station.until(lambda: not tree(shelf))


def test_a_file_that_we_freed_is_no_deletion(station: Station, inbox: Path, shelf: Path) -> None:
    station.watch("inbox", "shelf", folder=inbox, **NOW)
    (inbox / "a").write_bytes(b"a")
    (inbox / "b").write_bytes(b"b")
    with station.running():
        station.until_delivered("a", "b")
        station.order("freed", path=str(inbox / "a"))
        (inbox / "a").unlink()
        (inbox / "b").unlink()
        station.until(lambda: "b" not in tree(shelf))

    assert tree(shelf) == {"a": b"a"}


def test_deletions_of_a_station_that_was_off_travel_when_it_is_back(station: Station, inbox: Path, shelf: Path) -> None:
    station.watch("inbox", "shelf", folder=inbox, **NOW)
    (inbox / "a").write_bytes(b"a")
    (inbox / "d").mkdir()
    (inbox / "d" / "b").write_bytes(b"b")
    with station.running():
        station.until_delivered("a", "d/b")
    (inbox / "d" / "b").unlink()
    (inbox / "d").rmdir()
    (inbox / "a").rename(inbox / "c")

    with station.running():
        station.until(lambda: tree(shelf) == {"c": b"a"})


def test_a_file_that_vanishes_while_it_is_sent_is_removed_in_the_end(
    station: Station, inbox: Path, shelf: Path
) -> None:
    station.watch("inbox", "shelf", folder=inbox, most_deletions_percent=100, **NOW)
    (inbox / "keep").write_bytes(b"k")
    with station.running():
        station.until_delivered("keep")
        for number in range(20):
            (inbox / f"f{number}").write_bytes(b"x" * 3_000_000)
        time.sleep(0.35)
        for number in range(20):
            (inbox / f"f{number}").unlink()
        station.until(lambda: tree(shelf) == {"keep": b"k"})
