"""Files that are whole or not there."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

import pytest

from nephos.lib import files


def test_an_atomic_write_replaces_and_leaves_nothing_behind(tmp_path: Path) -> None:
    target = tmp_path / "plan.json"
    files.write_atomic(target, "old")

    files.write_atomic(target, "new", mode=0o600)

    assert target.read_text() == "new"
    assert target.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["plan.json"]


def test_an_atomic_write_that_fails_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_handle: int, _content: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space"):
        files.write_atomic(tmp_path / "plan.json", "new")

    assert list(tmp_path.iterdir()) == []


def test_json_that_is_none_is_none(tmp_path: Path) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text('{"torn": ')

    assert files.read_json(broken) is None
    assert files.read_json(tmp_path / "absent.json") is None


@pytest.mark.parametrize(
    ("name", "second"), [("a.ts", "a-2.ts"), ("a.manifest.json", "a-2.manifest.json"), ("a", "a-2")]
)
def test_a_taken_name_gets_a_number(tmp_path: Path, name: str, second: str) -> None:
    assert files.free_name(tmp_path / name).name == name
    (tmp_path / name).touch()
    assert files.free_name(tmp_path / name).name == second
    (tmp_path / second).symlink_to("nowhere")
    assert files.free_name(tmp_path / name).name == second.replace("-2", "-3")


def test_a_range_is_appended(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    content = os.urandom(300_000)
    source.write_bytes(content)
    handle = os.open(target, os.O_WRONLY | os.O_CREAT)
    try:
        first = files.append_range(source, handle, start=188, length=100_000)
        second = files.append_range(source, handle, start=100_188, length=10_000_000)
    finally:
        os.close(handle)

    assert (first, second) == (100_000, 199_812)
    assert target.read_bytes() == content[188:]
    assert files.sha256(target) == hashlib.sha256(content[188:]).hexdigest()
    assert b"".join(files.chunks(source, start=5, length=10)) == content[5:15]
