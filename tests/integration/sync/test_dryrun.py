"""`watch plan` says what would be done, and does nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from nephos.sync import database, dryrun, errors, queries
from tests.fakes.sync import Station


def plan(station: Station, watch: str = "inbox", limit: int = 1000) -> dryrun.Plan:
    loaded = station.loaded
    return dryrun.plan(loaded.home, loaded.settings, watch, limit=limit)


def noted_pauses(station: Station) -> int:
    with database.reading(station.home.sync_database) as db:
        return int(db.execute("SELECT count(*) FROM pauses").fetchone()[0]) if db is not None else 0


def told(found: dryrun.Plan) -> dict[str, tuple[str, str]]:
    return {one.path: (str(one.action), one.because) for one in found.files}


@pytest.fixture
def shelf(station: Station, inbox: Path, tmp_path: Path) -> Station:
    station.connect("shelf", "file", str(tmp_path / "shelf"))
    station.watch("inbox", "shelf", folder=inbox)
    return station


def snapshot(*folders: Path) -> list[tuple[str, int, int]]:
    return sorted(
        (str(path), path.lstat().st_size, path.lstat().st_mtime_ns)
        for folder in folders
        for path in folder.rglob("*")
        if path.is_file() and "sync.db-" not in path.name
    )


def test_before_the_first_start_everything_is_told_with_its_reason(shelf: Station, inbox: Path, tmp_path: Path) -> None:
    shelf.tables["watch"]["inbox"] |= {"ignore": ["raw/"], "rules": [{"rule": "rule_type", "types": ["mp4"]}]}
    (inbox / "clip.mp4").write_bytes(b"1234")
    (inbox / "notes.txt").write_bytes(b"12")
    (inbox / "draft.part").write_bytes(b"1")
    (inbox / "raw").mkdir()
    (inbox / "raw" / "a.mp4").write_bytes(b"1")
    (inbox / "link.mp4").symlink_to("clip.mp4")
    os.mkfifo(inbox / "pipe.mp4")
    shelf.write()

    found = plan(shelf)

    assert told(found) == {
        "clip.mp4": ("send", "It is new here."),
        "notes.txt": ("left", "A rule does not take it."),
        "draft.part": ("left", "*.part is left alone by default: unfinished downloads and deliveries."),
        "raw": ("left", "A pattern of the watch leaves it alone."),
        "link.mp4": ("left", "It is a link, which is not followed."),
        "pipe.mp4": ("left", "It is no regular file."),
    }
    assert (found.bytes_to_send, found.delivered, found.counts) == (4, 0, {"send": 1, "left": 5})
    assert not (tmp_path / "shelf").exists()
    assert not shelf.home.sync_database.exists()


def test_it_says_what_happens_then_and_changes_nothing(shelf: Station, inbox: Path, tmp_path: Path) -> None:
    shelf.tables["watch"]["inbox"] |= {"mode": "mirror", "grace_seconds": 0}
    for name in ("stays", "changes", "moves", "goes"):
        (inbox / name).write_bytes(name.encode())
    with shelf.running():
        shelf.until_delivered("stays", "changes", "moves", "goes")
    (inbox / "changes").write_bytes(b"something else")
    (inbox / "moves").rename(inbox / "moved")
    (inbox / "goes").unlink()
    (inbox / "comes").write_bytes(b"new")
    before = snapshot(inbox, tmp_path / "shelf", shelf.root)

    found = plan(shelf)

    assert snapshot(inbox, tmp_path / "shelf", shelf.root) == before
    shown = told(found)
    assert shown.pop(".nephos-watch")[0] == "left"
    assert shown == {
        "changes": ("send", "It changed since it was delivered."),
        "comes": ("send", "It is new here."),
        "moved": ("move", "It was moves before."),
        "goes": ("delete", "It is gone here."),
    }
    with shelf.running():
        shelf.until_delivered("changes", "comes", "moved")
        shelf.until(lambda: not (tmp_path / "shelf" / "goes").exists() and not (tmp_path / "shelf" / "moves").exists())
    assert told(plan(shelf)).keys() == {".nephos-watch"}


def test_deletions_that_are_too_many_would_be_held(shelf: Station, inbox: Path) -> None:
    shelf.tables["watch"]["inbox"] |= {"mode": "mirror", "most_deletions": 2}
    for number in range(4):
        (inbox / f"f{number}").write_bytes(b"x")
    with shelf.running():
        shelf.until_delivered(*(f"f{number}" for number in range(4)))
    for number in range(3):
        (inbox / f"f{number}").unlink()

    found = plan(shelf)

    assert found.counts["held"] == 3
    assert "too many" in told(found)["f0"][1]


def test_in_mode_keep_nothing_would_be_deleted(shelf: Station, inbox: Path) -> None:
    (inbox / "goes").write_bytes(b"x")
    with shelf.running():
        shelf.until_delivered("goes")
    (inbox / "goes").unlink()

    assert plan(shelf).files == []


def test_a_rule_that_fails_would_hold_the_file(shelf: Station, inbox: Path) -> None:
    shelf.home.plugins.mkdir(parents=True, exist_ok=True)
    (shelf.home.plugins / "mine.py").write_text(
        "from nephos.plugins import register_rule\n"
        "@register_rule\ndef rule_bad(path):\n    raise ValueError('no idea')\n"
    )
    shelf.tables["watch"]["inbox"] |= {"rules": [{"rule": "rule_bad"}]}
    (inbox / "clip").write_bytes(b"x")

    shelf.write()
    assert "no idea" in told(plan(shelf))["clip"][1]
    assert plan(shelf).counts == {"held": 1}


def test_another_base_would_send_all_of_it_again(shelf: Station, inbox: Path, tmp_path: Path) -> None:
    (inbox / "clip").write_bytes(b"x")
    with shelf.running():
        shelf.until_delivered("clip")
    assert plan(shelf).files == []

    shelf.tables["destination"]["shelf"]["base"] = str(tmp_path / "other")
    shelf.write()

    assert told(plan(shelf)) == {"clip": ("send", "It is new here.")}


def test_a_pause_is_told_and_the_list_has_an_end(shelf: Station, inbox: Path) -> None:
    for number in range(20):
        (inbox / f"f{number}").write_bytes(b"x")
    shelf.order("pause", watch="inbox")
    with shelf.running():
        shelf.until(lambda: len(queries.transfers(shelf.home)) == 20 and noted_pauses(shelf) == 1)

    found = plan(shelf, limit=5)

    assert (len(found.files), found.counts["send"]) == (5, 20)
    assert found.files[0].because.startswith("Paused.")


def test_a_folder_that_is_not_there_is_told(shelf: Station, inbox: Path) -> None:
    shelf.write()
    inbox.rmdir()

    with pytest.raises(errors.FolderGone):
        plan(shelf)
