"""What is printed where, and how."""

from __future__ import annotations

import json
from typing import Any

import pytest

from nephos.cli import options, output, shown

ROWS: list[dict[str, Any]] = [{"id": 1, "name": "La Uno"}, {"id": 22, "name": "b\x1b[31m\nc"}]
COLUMNS: list[output.Column] = [("ID", "id"), ("NAME", "name")]


@pytest.fixture(autouse=True)
def fresh_options() -> None:
    options.reset()


def test_plain_tables_line_up_and_hold_one_line_a_row(capsys: pytest.CaptureFixture[str]) -> None:
    output.rows(ROWS, COLUMNS, empty="")

    assert capsys.readouterr().out == "ID  NAME\n1   La Uno\n22  b\\x1b[31m c\n"


def test_an_empty_list_is_said_to_people_only(capsys: pytest.CaptureFixture[str]) -> None:
    output.rows([], COLUMNS, empty="There is nothing.")

    caught = capsys.readouterr()
    assert (caught.out, caught.err) == ("", "There is nothing.\n")


def test_json_is_the_data_itself(capsys: pytest.CaptureFixture[str]) -> None:
    options.current.json = True

    output.rows(ROWS, COLUMNS, empty="")

    assert json.loads(capsys.readouterr().out) == ROWS


def test_quiet_leaves_the_data(capsys: pytest.CaptureFixture[str]) -> None:
    options.current.quiet = True

    output.say("Done.")
    output.one({"id": 1}, [("id", "id")])

    caught = capsys.readouterr()
    assert (caught.out, caught.err) == ("id  1\n", "")


def test_empty_facts_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    row = {"a": "", "b": None, "c": False, "d": ["x", "y"]}

    output.one(row, [("a", "a"), ("b", "b"), ("cc", "c"), ("d", "d")])

    assert capsys.readouterr().out == "cc  no\nd   x, y\n"


def test_a_terminal_gets_a_table_without_markup_taken_from_names(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output, "on_terminal", lambda *_: True)
    monkeypatch.setenv("NO_COLOR", "1")

    output.rows([{"id": 1, "name": "[red]x[/red]"}], COLUMNS, empty="")

    out = capsys.readouterr().out
    assert "[red]x[/red]" in out
    assert "\x1b" not in out


def test_an_error_is_a_sentence_and_a_hint(capsys: pytest.CaptureFixture[str]) -> None:
    output.complain("It\x07 failed.", hint="Try again.")

    assert capsys.readouterr().err == "nephos: It\\x07 failed.\nhint: Try again.\n"


def test_times_sizes_and_lengths_are_for_people(monkeypatch: pytest.MonkeyPatch) -> None:
    row = {"at": "2026-11-22T19:16:20.125Z", "bytes": 1536, "seconds": 90, "part": 0.25, "none": None}

    assert shown.moment("at")(row).startswith("2026-11-2")
    assert shown.size("bytes")(row) == "1.5 KiB"
    assert shown.length("seconds")(row) == "1m 30s"
    assert shown.share("part")(row) == "25%"
    assert [show("none")(row) for show in (shown.moment, shown.size, shown.length, shown.share)] == [""] * 4
