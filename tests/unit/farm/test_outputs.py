"""The list of outputs that a step writes, and the bounded log of what it prints."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nephos.farm import errors, harvest, ledger, spool

GOOD = {"kind": "video", "path": "sub/a.mp4", "bytes": 3, "sha256": "00", "label": "CC1", "language": "en"}


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "x1y2"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "a.mp4").write_bytes(b"abc")
    return folder


def listed(work: Path, entries: Any) -> list[ledger.Output]:
    (work / "outputs.json").write_text(entries if isinstance(entries, str) else json.dumps(entries))
    return harvest.gather(work, work.parent)


def test_outputs_are_proved_and_set_aside_under_a_fixed_name(work: Path) -> None:
    outputs = listed(work, [GOOD])

    assert [output.plain() for output in outputs] == [GOOD]
    assert (work.parent / "out" / "sub" / "a.mp4").read_bytes() == b"abc"


def test_a_step_without_a_list_has_no_outputs(work: Path) -> None:
    assert harvest.gather(work, work.parent) == []
    assert harvest.gather(None, work.parent) == []


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../a", "sub/../../a", "", ".", "sub//a.mp4", "C:/a", "sub\\..\\a", "a/"]
)
def test_a_path_out_of_the_attempts_folder_is_refused(path: str) -> None:
    with pytest.raises(errors.BadOutputs):
        ledger.parse_output({**GOOD, "path": path})


@pytest.mark.parametrize(
    "entries",
    [
        "no json",
        {"kind": "video"},
        ["a.mp4"],
        [{"path": "sub/a.mp4", "bytes": 3}],
        [{**GOOD, "bytes": "many"}],
        [{**GOOD, "bytes": 4}],
        [{**GOOD, "path": "sub/b.mp4"}],
        [{**GOOD, "path": "sub"}],
    ],
)
def test_a_wrong_list_is_refused(work: Path, entries: Any) -> None:
    with pytest.raises(errors.BadOutputs):
        listed(work, entries)


def test_a_link_is_no_output(work: Path) -> None:
    (work / "link.mp4").symlink_to("/etc/hostname")

    with pytest.raises(errors.BadOutputs):
        listed(work, [{**GOOD, "path": "link.mp4"}])


def test_a_log_is_bounded_keeps_its_end_and_is_printable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "_FILE_BYTES", 1000)

    for number in range(500):
        spool.append(tmp_path, "abc", [f"line {number}"])
    spool.append(tmp_path, "abc", ["\x1b[31mred\n\tx"])

    lines = spool.read(tmp_path, "abc")
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 2200
    assert lines[-2:] == ["line 499", "\N{REPLACEMENT CHARACTER}[31mred\N{REPLACEMENT CHARACTER}\tx"]
    assert len(spool.read(tmp_path, "abc", limit=3)) == 3
    spool.remove(tmp_path, "abc")
    assert spool.read(tmp_path, "abc") == []
