"""News of a folder tree: bursts, new folders, moved folders."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from nephos.sync import errors, fingerprints, inotify, scanner, watcher
from nephos.sync import ports as sync_ports
from nephos.sync.hints import Hints

linux = pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's")


def gather(watching: inotify.Inotify, enough: Callable[[Hints], bool]) -> Hints:
    found = Hints()
    deadline = time.monotonic() + 60
    while not enough(found):
        assert time.monotonic() < deadline, found
        fresh = watching.take()
        found.folders |= fresh.folders
        found.overflow = found.overflow or fresh.overflow
        time.sleep(0.01)
    return found


@linux
def test_a_burst_in_fresh_nested_folders_leaves_no_folder_unnamed(tmp_path: Path) -> None:
    watching = inotify.Inotify(os.fsencode(tmp_path))
    wanted = set()
    for number in range(100):
        folder = tmp_path / f"day {number}" / "deep" / "deeper"
        folder.mkdir(parents=True)
        (folder / "file").write_bytes(b"x")
        wanted.add(os.fsencode(folder.relative_to(tmp_path)))

    found = gather(watching, lambda hints: wanted <= hints.folders)
    watching.close()

    assert not found.overflow


@linux
def test_a_moved_folder_is_named_by_its_new_name_from_then_on(tmp_path: Path) -> None:
    (tmp_path / "old" / "inner").mkdir(parents=True)
    watching = inotify.Inotify(os.fsencode(tmp_path))
    (tmp_path / "old").rename(tmp_path / "new")
    gather(watching, lambda hints: b"new/inner" in hints.folders)
    (tmp_path / "new" / "inner" / "file").write_bytes(b"x")

    found = gather(watching, lambda hints: b"new/inner" in hints.folders)
    watching.close()

    assert b"old/inner" not in found.folders


@linux
def test_a_root_that_goes_asks_for_a_scan(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    watching = inotify.Inotify(os.fsencode(root))
    root.rmdir()

    gather(watching, lambda hints: hints.overflow)
    watching.close()


def test_where_the_system_tells_nothing_there_is_the_blind_watcher(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")

    watching = watcher.watch(os.fsencode(tmp_path))

    assert watching.partial
    assert watching.take() == Hints()
    watching.close()


@linux
def test_the_kernel_tells_of_a_writer(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with path.open("wb"):
        assert fingerprints.take_closely(path)[1] is sync_ports.Writer.PRESENT
    assert fingerprints.take_closely(path) == (fingerprints.take(path), sync_ports.Writer.NONE)
    with pytest.raises(errors.SourceGone):
        fingerprints.take_closely(tmp_path / "nothing")


def test_a_scan_takes_regular_files_and_follows_no_link(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "file").write_bytes(b"12345")
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    (tmp_path / "link").symlink_to(tmp_path / "a" / "file")
    (tmp_path / "a" / "x.tmp").write_bytes(b"")
    os.mkfifo(tmp_path / "pipe")

    found = scanner.scan(os.fsencode(tmp_path))

    assert {path: seen.size_bytes for path, seen in found.found.items()} == {b"a/file": 5}
    assert found.complete


def test_a_folder_that_is_not_there_is_no_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(errors.FolderGone):
        scanner.scan(os.fsencode(tmp_path / "nothing"))
