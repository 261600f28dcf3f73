"""What attacks shells, SQL, terminals and spreadsheets is only a name, whatever is done with it by commands."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest

from tests.support import evil


@pytest.fixture
def held(nephos: Any) -> Any:
    """The ids of held files with evil names, and how they are shown."""
    nephos.home.sync_database.unlink(missing_ok=True)
    yield evil.fill(nephos.home)
    nephos.home.sync_database.unlink(missing_ok=True)


def harmless(text: str) -> bool:
    return all(each.isprintable() or each == "\n" for each in text)


def test_evil_names_reach_programs_unchanged_and_terminals_harmlessly(nephos: Any, held: dict[int, str]) -> None:
    told = {each["id"]: each["path"] for each in nephos.json("transfer", "list")}
    assert nephos("transfer", "list") == 0
    table = nephos.out + nephos.err

    assert told == held
    assert harmless(table)
    assert "[bold]{{ 7*7 }}%s%n" in table


def test_they_are_shown_and_paused_and_tried_again_by_their_numbers(nephos: Any, held: dict[int, str]) -> None:
    chosen = [number for number, name in held.items() if any(sign in name for sign in ("DROP", "\x1b", "\\xff"))]
    assert len(chosen) == 3
    for number in chosen:
        assert nephos("transfer", "show", str(number)) == 0
        assert harmless(nephos.out + nephos.err)
        assert nephos.json("transfer", "show", str(number))["transfer"]["path"] == held[number]
        assert nephos("transfer", "pause", str(number)) == 0
        assert harmless(nephos.out + nephos.err)
        assert nephos("transfer", "retry", str(number)) == 0

    db = sqlite3.connect(nephos.home.sync_database)
    rows, orders = (db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("paths", "orders"))
    db.close()
    assert (rows, orders) == (len(evil.RAW), 6)


def test_a_watch_that_makes_no_sense_is_refused_in_a_sentence_and_nothing_changes(nephos: Any, tmp_path: Any) -> None:
    assert nephos("connection", "add", "disk", "file") == 0, nephos.err
    assert nephos("destination", "add", "shelf", "--connection", "disk", "--base", str(tmp_path / "in/shelf")) == 0
    before = nephos.home.config_file.read_text()
    good = {"--to": "shelf", "--folder": str(tmp_path / "other")}
    wrong = (
        {"--to": "nowhere"},
        {"--folder": "no/absolute/folder"},
        {"--folder": str(tmp_path / "in")},  # the destination lies in it
        {"--ignore": "[z-a]!\\"},
        {"--settle": "soon"},
    )
    for change in wrong:
        options = [word for pair in (good | change).items() for word in pair]

        assert nephos("watch", "add", "new", *options) != 0, change

        assert "Traceback" not in nephos.err
        assert nephos.err.startswith("nephos: "), nephos.err
        assert nephos.home.config_file.read_text() == before
