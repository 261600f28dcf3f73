"""Commands that ask for what was not given, and remember what was skipped."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nephos.cli import ask
from nephos.lib.errors import ExitCode

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Somebody sits at the terminal: an answer for each question that holds a word; Enter for all others."""

    def sit_down(**known: str) -> list[str]:
        asked: list[str] = []

        def text(question: str) -> str:
            asked.append(question)
            return next((answer for word, answer in known.items() if word.lower() in question.lower()), "")

        monkeypatch.setattr(ask, "is_possible", lambda: True)
        monkeypatch.setattr(ask, "text", text)
        return asked

    return sit_down


def tables(nephos: Any) -> dict[str, Any]:
    return tomllib.loads(nephos.home.config_file.read_text())


def test_a_connection_is_asked_for_and_what_is_skipped_is_a_comment_that_the_check_names(
    nephos: Any, answers: Callable[..., list[str]]
) -> None:
    asked = answers(**{"name of": "cloud", "url": "https://s3.example.org", "access": "env:ACCESS"})

    assert nephos("connection", "add", "s3") == 0

    assert len(asked) == 5
    assert tables(nephos)["connection"]["cloud"] == {
        "kind": "s3",
        "options": {"endpoint": "https://s3.example.org", "access_key": "env:ACCESS"},
    }
    text = nephos.home.config_file.read_text()
    assert '# secret_key = ""  # skipped' in text
    found = nephos.json("config", "check")
    assert found["skipped"] == ["connection.cloud.options.region", "connection.cloud.options.secret_key"]


def test_what_was_skipped_and_is_needed_is_named_when_a_destination_needs_it(
    nephos: Any, answers: Callable[..., list[str]]
) -> None:
    answers(**{"name of": "cloud", "url": "https://s3.example.org"})
    assert nephos("connection", "add", "s3") == 0

    assert nephos("destination", "add", "there", "--connection", "cloud", "--base", "b/p") != 0
    for key in ("access_key", "secret_key"):
        assert nephos("config", "set", f"connection.cloud.options.{key}", f"env:{key.upper()}") == 0
    assert nephos("destination", "add", "there", "--connection", "cloud", "--base", "b/p") == 0


def test_a_server_is_asked_for(nephos: Any, answers: Callable[..., list[str]]) -> None:
    answers(**{"name of the connection": "phone", "name or address": "192.168.1.7", "port": "2222", "logs in": "me"})

    assert nephos("connection", "add", "sftp") == 0

    options = tables(nephos)["connection"]["phone"]["options"]
    assert options == {"host": "192.168.1.7", "port": 2222, "user": "me"}
    skipped = nephos.json("config", "check")["skipped"]
    assert skipped == ["connection.phone.options.key_file", "connection.phone.options.password"]


def test_a_secret_that_is_typed_in_plain_is_refused(nephos: Any, answers: Callable[..., list[str]]) -> None:
    answers(url="https://s3.example.org", secret="AKIA-in-plain")

    assert nephos("connection", "add", "s3") == ExitCode.USAGE
    assert not nephos.home.config_file.exists() or "AKIA" not in nephos.home.config_file.read_text()


def test_flags_are_not_asked_for(nephos: Any, answers: Callable[..., list[str]]) -> None:
    asked = answers()

    assert nephos("connection", "add", "sftp", "--host", "h", "--user", "u") == 0

    assert len(asked) == 4  # name, port, key file, password
    assert tables(nephos)["connection"]["sftp"]["options"] == {"host": "h", "user": "u"}


def test_a_folder_and_a_destination_make_a_watch(
    nephos: Any, answers: Callable[..., list[str]], tmp_path: Path
) -> None:
    folder = tmp_path / "My clips!"
    folder.mkdir()
    assert nephos("connection", "add", "disk", "file") == 0
    assert nephos("destination", "add", "shelf", "--connection", "disk", "--base", str(tmp_path / "shelf")) == 0
    answers(rest="5s", leave="*.bak raw/", deletions="mirror")

    assert nephos("watch", "add", str(folder), "shelf") == 0

    watch = tables(nephos)["watch"]["My-clips"]
    assert watch == {
        "destinations": ["shelf"],
        "folder": str(folder),
        "settle_seconds": 5,
        "ignore": ["*.bak", "raw/"],
        "mode": "mirror",
    }
    assert nephos.json("config", "check")["skipped"] == ["watch.My-clips.priority"]


def test_without_a_terminal_nothing_is_asked_and_defaults_count(nephos: Any, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    assert nephos("connection", "add", "disk", "file") == 0
    assert nephos("destination", "add", "shelf", "--connection", "disk", "--base", str(tmp_path / "shelf")) == 0

    assert nephos("watch", "add", str(tmp_path / "in"), "shelf", "--settle", "1s") == 0

    assert tables(nephos)["watch"]["in"] == {
        "destinations": ["shelf"],
        "folder": str(tmp_path / "in"),
        "settle_seconds": 1,
    }
    assert nephos.json("config", "check")["skipped"] == []
    assert nephos("watch", "add", "nowhere", "--folder", str(tmp_path / "in")) == ExitCode.USAGE
    assert nephos("connection", "add", "s3") == ExitCode.USAGE
