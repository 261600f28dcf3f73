"""Logs are read from their ends, in order of time, and followed through rotations."""

from __future__ import annotations

import json
import logging.handlers
from pathlib import Path

from nephos.cli import logfiles


def line(second: int, text: str, level: str = "info") -> str:
    """One line of a log."""
    return f"2026-11-22T19:16:{second:02}.000Z {level:7} recording.recorder: {text}\n"


def test_the_newest_records_of_several_files_come_in_order_of_time(tmp_path: Path) -> None:
    (tmp_path / "web.log").write_text(line(1, "a") + line(4, "d"))
    (tmp_path / "keeper.log").write_text(line(2, "b") + line(3, "c") + "Traceback\n  somewhere\n")

    found = logfiles.last(logfiles.find(tmp_path, "", debug=False), count=3)

    assert [record.message for record in found] == ["b", "c", "d"]
    assert found[1].text.endswith("c\nTraceback\n  somewhere")


def test_levels_and_both_formats_are_understood(tmp_path: Path) -> None:
    entry = {"at": "2026-11-22T19:16:09.000Z", "level": "warning", "module": "nephos.sync.pump", "message": "slow"}
    (tmp_path / "sync.log").write_text(line(1, "a") + line(2, "b", "error") + json.dumps(entry) + "\n{broken\n")

    found = logfiles.last([tmp_path / "sync.log"], count=10, level="warning")

    assert [(record.level, record.module) for record in found] == [
        ("error", "recording.recorder"),
        ("warning", "sync.pump"),
    ]


def test_rare_records_are_found_far_from_the_end(tmp_path: Path) -> None:
    (tmp_path / "web.log").write_text(line(1, "rare", "error") + line(2, "often") * 5000)

    (found,) = logfiles.last([tmp_path / "web.log"], count=1, level="error")

    assert found.message == "rare"


def test_what_was_rotated_away_still_counts(tmp_path: Path) -> None:
    (tmp_path / "web.log.1").write_text(line(1, "old"))
    (tmp_path / "web.log").write_text(line(2, "new"))

    assert [record.message for record in logfiles.last([tmp_path / "web.log"], count=5)] == ["old", "new"]


def test_following_loses_nothing_when_a_file_is_rotated(tmp_path: Path) -> None:
    path = tmp_path / "web.log"
    path.write_text(line(1, "before"))
    follower = logfiles.Follower([path])
    handler = logging.handlers.RotatingFileHandler(path, maxBytes=2000, backupCount=50)
    seen = []

    for number in range(200):
        handler.emit(logging.makeLogRecord({"msg": line(number % 60, f"n{number}").rstrip("\n")}))
        if number % 3 == 0:
            seen += follower.more()
    seen += follower.more()
    follower.close()
    handler.close()

    assert sorted(int(record.message[1:]) for record in seen) == list(range(200))


def test_packages_have_debug_files_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "debug").mkdir()
    (tmp_path / "sync.log").write_text(line(1, "role"))
    (tmp_path / "debug" / "sync.sync.log").write_text(line(1, "role") + line(2, "fine", "debug"))
    (tmp_path / "debug" / "library.web.log").write_text("")
    (tmp_path / "debug" / "library.keeper.log").write_text("")

    assert logfiles.find(tmp_path, "sync", debug=False) == [tmp_path / "sync.log"]
    assert logfiles.find(tmp_path, "sync", debug=True) == [tmp_path / "debug" / "sync.sync.log"]
    assert len(logfiles.find(tmp_path, "library", debug=False)) == 2
    assert logfiles.find(tmp_path, "../sync", debug=False) == []
    assert logfiles.names(tmp_path) == ["library", "sync"]
