"""Two files that have one name at the destination: the first keeps it, the other is held, and neither is lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nephos.sync import namesakes, queries
from tests.fakes import sftp
from tests.fakes.sync import Station


@pytest.fixture
def phone(tmp_path: Path) -> Iterator[sftp.Phone]:
    with sftp.phoning(tmp_path / "phone") as serving:
        serving.folds = True
        yield serving


@pytest.fixture
def folding(station: Station, inbox: Path, phone: sftp.Phone) -> Station:
    """A folder that goes to a server that knows no difference between `Clip` and `clip`."""
    phone.trust(station.home.sync_database.parent)
    station.connect("far", "sftp", "/in", phone.options())
    station.watch("inbox", "far", folder=inbox, mode="mirror", grace_seconds=0, most_deletions_percent=100, undo_days=0)
    return station


def there(phone: sftp.Phone) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (phone.root / "in").iterdir() if not path.name.startswith(".")}


def cause(station: Station, path: str) -> str:
    return next(each.cause for each in queries.transfers(station.home) if each.path == path)


@pytest.mark.parametrize(("first", "second"), [("Clip.mp4", "clip.MP4"), ("caf\u00e9", "cafe\u0301")])
def test_a_second_name_that_the_destination_takes_for_the_first_is_held_with_the_reason(
    folding: Station, inbox: Path, phone: sftp.Phone, first: str, second: str
) -> None:
    (inbox / first).write_bytes(b"first")
    with folding.running():
        folding.until_delivered(first)
        (inbox / second).write_bytes(b"second")
        folding.until(lambda: folding.states().get(second) == "held")
        told = cause(folding, second)
        (inbox / second).rename(inbox / "another")
        folding.until(lambda: folding.states() == {first: "delivered", "another": "delivered"})

    assert f"{first} of watch inbox" in told
    assert sorted(there(phone).values()) == [b"first", b"second"]


def test_a_name_that_changes_only_its_case_is_not_removed_with_its_old_name(
    folding: Station, inbox: Path, phone: sftp.Phone
) -> None:
    (inbox / "Clip").write_bytes(b"content")
    with folding.running():
        folding.until_delivered("Clip")
        (inbox / "Clip").rename(inbox / "CLIP")
        folding.until(lambda: folding.states() == {"CLIP": "delivered"})
        (inbox / "last").write_bytes(b"all else is done")
        folding.until_delivered("last")

        assert there(phone) == {"clip": b"content", "last": b"all else is done"}


def test_two_watches_below_one_base_overwrite_and_remove_nothing_of_each_other(
    station: Station, tmp_path: Path
) -> None:
    one, two, shelf = (tmp_path / name for name in ("one", "two", "shelf"))
    station.connect("shelf", "file", str(shelf))
    for folder in (one, two):
        folder.mkdir()
        station.watch(folder.name, "shelf", folder=folder, mode="mirror", grace_seconds=0, most_deletions_percent=100)
    (one / "clip").write_bytes(b"of one")
    with station.running():
        station.until(lambda: station.states() == {"clip": "delivered"})
        (two / "clip").write_bytes(b"of two")
        (two / "other").write_bytes(b"of two")
        station.until(lambda: [each.state for each in queries.transfers(station.home) if each.watch == "two"])
        station.until(lambda: station.states().get("other") == "delivered" and station.states().get("clip") == "held")
        (two / "clip").unlink()
        station.until(lambda: station.states() == {"clip": "delivered", "other": "delivered"})

    assert {path.name: path.read_bytes() for path in shelf.iterdir() if path.is_file()} == {
        "clip": b"of one",
        "other": b"of two",
    }


def test_names_are_folded_by_case_and_form_and_bytes_that_are_no_text_stay() -> None:
    assert namesakes.fold("Caf\u00c9/\u00dc".encode()) == namesakes.fold("cafe\u0301/u\u0308".encode())
    assert namesakes.fold(b"\xff\xfe") == b"\xff\xfe"
    assert namesakes.fold(b"a") != namesakes.fold(b"b")
