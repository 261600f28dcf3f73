"""Files that are not as one thinks: links, pipes, holes, long and strange names, bursts, lost news."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

import pytest

from nephos.sync import inotify, queries
from tests.fakes.s3 import S3Server
from tests.fakes.sync import Station
from tests.fuzz import sync_burst

MIB = 1 << 20


@pytest.fixture
def shelf(station: Station, inbox: Path, tmp_path: Path) -> Path:
    station.connect("shelf", "file", str(tmp_path / "shelf"))
    station.watch("inbox", "shelf", folder=inbox)
    return tmp_path / "shelf"


def names(place: Path) -> list[str]:
    return sorted(str(path.relative_to(place)) for path in place.rglob("*") if path.is_file())


def test_links_pipes_and_sockets_are_neither_followed_nor_sent(station: Station, inbox: Path, shelf: Path) -> None:
    (inbox / "file").write_bytes(b"x")
    (inbox / "loop").symlink_to(inbox)
    (inbox / "out").symlink_to("/etc/hostname")
    (inbox / "gone").symlink_to("/nowhere")
    os.mkfifo(inbox / "pipe")
    place = Path.cwd()
    os.chdir(inbox)
    with socket.socket(socket.AF_UNIX) as ear:
        ear.bind("socket")
    os.chdir(place)

    with station.running():
        station.until_delivered("file")
        (inbox / "second").write_bytes(b"y")
        station.until_delivered("second")

    assert names(shelf) == ["file", "second"]
    assert set(station.states()) == {"file", "second"}


def test_a_file_with_holes_and_an_empty_one_arrive_byte_for_byte(station: Station, inbox: Path, shelf: Path) -> None:
    with (inbox / "holes").open("wb") as stream:
        stream.truncate(40 * MIB)
        stream.seek(20 * MIB)
        stream.write(b"island")
    (inbox / "empty").touch()

    with station.running():
        station.until_delivered("holes", "empty")

    assert (shelf / "holes").read_bytes() == (inbox / "holes").read_bytes()
    assert (shelf / "empty").stat().st_size == 0


def test_the_longest_name_is_sent_and_a_path_too_long_for_s3_is_held_there_alone(
    station: Station, inbox: Path, shelf: Path, s3_server: S3Server
) -> None:
    station.connect("cloud", "s3", "bench", s3_server.options())
    station.watch("inbox", "cloud", "shelf", folder=inbox)
    (inbox / ("n" * 255)).write_bytes(b"x")
    deep = inbox / Path(*["d" * 200] * 6)
    deep.mkdir(parents=True)
    (deep / "far").write_bytes(b"y")
    far = str((deep / "far").relative_to(inbox))

    with station.running():
        station.until_delivered("n" * 255)
        station.until(lambda: station.states("cloud").get(far) == "held")
        station.until(lambda: station.states("shelf").get(far) == "delivered")

    assert (shelf / ("n" * 255)).read_bytes() == b"x"
    assert (shelf / far).read_bytes() == b"y"
    held = [each for each in queries.transfers(station.home) if each.destination == "cloud" and each.path == far]
    assert "longer than 1,024 bytes" in held[0].cause


def test_names_that_differ_only_in_case_or_form_stay_apart_where_the_destination_keeps_them_apart(
    station: Station, inbox: Path, shelf: Path
) -> None:
    found = ["Clip", "clip", "caf\u00e9", "cafe\u0301"]
    for number, name in enumerate(found):
        (inbox / name).write_bytes(b"%d" % number)

    with station.running():
        station.until_delivered(*found)

    assert {name: (shelf / name).read_bytes() for name in found} == {n: b"%d" % i for i, n in enumerate(found)}


@pytest.mark.parametrize(
    "name",
    ["; rm -rf $HOME", "'; DROP TABLE paths; --", "<script>alert(1)</script>", "\x1b[2J\x07", "-rf", "a\nb", "`id`"],
)
def test_names_that_attack_are_only_names(station: Station, inbox: Path, shelf: Path, name: str) -> None:
    flat = name.replace("/", "_")
    (inbox / flat).write_bytes(b"x")

    with station.running():
        station.until(lambda: shelf.exists() and names(shelf) == [flat])
        station.until(lambda: list(station.states().values()) == ["delivered"])


def test_thousands_of_files_in_fresh_folders_are_all_seen(station: Station, inbox: Path, shelf: Path) -> None:
    """The short form of 50,000 in 1,000."""
    with station.running():
        station.until(lambda: station.beat)
        for folder in range(60):
            place = inbox / f"f{folder}" / "deep"
            place.mkdir(parents=True)
            for number in range(25):
                (place / str(number)).write_bytes(b"%d" % number)
        station.until(lambda: len(station.states()) == 1500, seconds=60)
        station.until(lambda: set(station.states().values()) == {"delivered"}, seconds=60)

    assert len(names(shelf)) == 1500


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_kill_9_in_the_first_look_at_a_folder_loses_no_file(tmp_path: Path) -> None:
    """The short form of `make burst-sync`."""
    lost, told = sync_burst.killed_in_the_first_look(tmp_path, 2_000, 2)

    assert lost == 0, told


def test_an_overflow_of_the_system_s_queue_is_seen_and_repaired(
    station: Station, inbox: Path, shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    reading = inotify.Inotify._read
    held = [True]

    def late(self: inotify.Inotify) -> None:
        while held[0]:
            time.sleep(0.05)
        reading(self)

    monkeypatch.setattr(inotify.Inotify, "_read", late)
    overflows: list[bool] = []
    take = inotify.Inotify.take
    monkeypatch.setattr(inotify.Inotify, "take", lambda self: _noted(take(self), overflows))

    with station.running():
        station.until(lambda: station.beat)
        time.sleep(0.5)
        for _ in range(limit // 2 + 200):  # each file is at least two pieces of news
            (inbox / "noise.tmp").write_bytes(b"")
            (inbox / "noise.tmp").unlink()
        (inbox / "late").mkdir()
        (inbox / "late" / "clip").write_bytes(b"after the overflow")
        held[0] = False
        station.until_delivered("late/clip", seconds=30)

    assert any(overflows)
    assert names(shelf) == ["late/clip"]


def _noted(hints: object, overflows: list[bool]) -> object:
    overflows.append(bool(hints.overflow))  # type: ignore[attr-defined]
    return hints
