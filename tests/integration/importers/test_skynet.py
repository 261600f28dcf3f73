"""The config.ini of skylark-skynet is taken over, once, and without believing its complete_sync."""

from __future__ import annotations

import shutil
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nephos.config import load
from nephos.importers import skynet
from tests.support.callers import Caller

INI = """[S3]
# the name of the bucket, without slashes
bucket = news-archive
key_id = AKIAEXAMPLE
aws_secret = never/seen+again
region = eu-west-1

[SYNC]
enter complete_sync as True/False, case sensitive
complete_sync = False
local_root = /media/x
local_dir = z
remote_root = /y
remote_dir = z
ignore_patterns = *.swp *.tmp  cache/
"""
SFTP = """[SFTP]
remote_host: 192.168.1.7
remote_username = phone
remote_port = 2222
remote_password = hunter2!
[SYNC]
local_root = /media/x
local_dir = z
remote_root = /sdcard
remote_dir = /DCIM/
"""


@pytest.fixture
def owner(db: None, open_connections: None) -> Any:
    """The home's owner on settings of their own."""
    from nephos.core import bootstrap
    from nephos.web import current

    file = bootstrap.loaded().home.config_file
    file.unlink(missing_ok=True)
    shutil.rmtree(file.parent / "secrets", ignore_errors=True)
    current._live.cache_clear()
    yield Caller(local=True)
    file.unlink(missing_ok=True)
    shutil.rmtree(file.parent / "secrets", ignore_errors=True)
    current._live.cache_clear()


def root() -> Path:
    from nephos.core import bootstrap

    return bootstrap.loaded().home.root


def now() -> Any:
    return load.load(root()).settings


def take(owner: Any, text: str, **more: Any) -> Any:
    answer = owner("POST", "/import", {"text": text, **more})
    assert answer.status == 200, answer.document
    return answer.document


def test_a_bucket_becomes_a_connection_a_destination_and_a_watch(owner: Any) -> None:
    found = take(owner, INI)

    settings_now = now()
    assert found["kind"] == "skynet"
    assert (found["taken"], found["refused"]) == (3, 0)
    connection = settings_now.connection["skynet-s3"]
    assert (connection.kind, connection.options["region"]) == ("s3", "eu-west-1")
    assert connection.options["endpoint"] == "https://s3.eu-west-1.amazonaws.com"
    assert settings_now.destination["skynet-s3"].base == "news-archive/y/z"
    watch = settings_now.watch["skynet"]
    assert (watch.folder, watch.destinations) == ("/media/x/z", ["skynet-s3"])
    assert watch.ignore == ["*.swp", "*.tmp", "cache/"]


def test_the_word_false_is_not_believed_and_a_person_has_to_choose(owner: Any) -> None:
    found = take(owner, INI)

    (asked,) = [line for line in found["lines"] if line["name"] == "complete_sync"]
    assert asked["outcome"] == "note"
    assert "--deletions mirror" in asked["text"]
    assert now().watch["skynet"].mode == "keep"
    again = take(owner, INI, deletions="mirror")
    assert now().watch["skynet"].mode == "mirror"
    assert [line["outcome"] for line in again["lines"] if line["kind"] == "watch"] == ["changed"]


def test_secrets_go_into_files_of_their_own_and_are_never_shown(owner: Any) -> None:
    found = take(owner, INI) | {"sftp": take(owner, SFTP)}

    text = (root() / "config" / "nephos.toml").read_text()
    for secret in ("AKIAEXAMPLE", "never/seen+again", "hunter2!"):
        assert secret not in text
        assert secret not in str(found)
    reference = now().connection["skynet-s3"].options["secret_key"]
    place = Path(str(reference).removeprefix("file:"))
    assert place.read_text() == "never/seen+again"
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert stat.S_IMODE(place.parent.stat().st_mode) == 0o700


def test_a_phone_becomes_a_server_whose_key_has_to_be_compared(owner: Any) -> None:
    found = take(owner, SFTP)

    options = now().connection["skynet-sftp"].options
    assert (options["host"], options["port"], options["user"]) == ("192.168.1.7", 2222, "phone")
    assert now().destination["skynet-sftp"].base == "/sdcard/DCIM"
    assert any("Compare its key" in line["text"] for line in found["lines"])


def test_a_second_time_changes_nothing(owner: Any) -> None:
    take(owner, INI)
    before = (root() / "config" / "nephos.toml").read_text()

    again = take(owner, INI)

    assert (again["taken"], again["changed"], again["unchanged"]) == (0, 0, 3)
    assert (root() / "config" / "nephos.toml").read_text() == before


def test_what_was_set_here_since_stays(owner: Any) -> None:
    take(owner, INI)
    file = root() / "config" / "nephos.toml"
    file.write_text(file.read_text().replace("[watch.skynet]", "[watch.skynet]\npriority = 7"))

    take(owner, INI.replace("*.tmp", "*.bak"))

    assert now().watch["skynet"].priority == 7
    assert now().watch["skynet"].ignore == ["*.swp", "*.bak", "cache/"]


def test_a_trial_changes_nothing(owner: Any) -> None:
    found = take(owner, INI, dry_run=True)

    assert found["taken"] == 3
    assert not (root() / "config" / "nephos.toml").exists()
    assert not list((root() / "config").rglob("skynet-s3-*"))


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        ("[S3]\nbucket = b\n[SYNC]\nlocal_root = /a\nlocal_dir = b\n", 2, "keys"),
        ("[SFTP]\nremote_port = 99999\nremote_host = h\n", 2, "99999"),
        ("[SYNC]\nlocal_dir = here\n", 2, "no destination"),
        ("[S3]\nbucket = UPPER CASE\nkey_id = a\naws_secret = b\n", 2, "bucket"),
        ("[SYNC]\nlocal_root = /a\n[WHAT]\nx = 1\n", 3, "no such section"),
        ("[SYNC]\nlocal_root = /a\nlocal_root = /b\n", 3, "second time"),
        ("[SYNC]\nlocal_root = /a\nspeed = 9\n", 3, "no such setting"),
        (INI.replace("*.swp", "[z-a]/\\"), 15, "pattern"),
    ],
)
def test_what_cannot_be_taken_is_told_with_its_line(owner: Any, text: str, line: int, word: str) -> None:
    found = take(owner, text)

    told = [one for one in found["lines"] if one["outcome"] == "refused" and word in one["text"]]
    assert told or word == "pattern", found["lines"]
    assert line in [one["line"] for one in told] or word in {"bucket", "pattern"}


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.lists(
        st.one_of(
            st.sampled_from([*INI.splitlines(), *SFTP.splitlines(), "[S3", "=", ": x", "[SYNC] ; x", "\x00", "a=b=c"]),
            st.text(max_size=40),
            st.builds(
                "{} = {}".format,
                st.sampled_from(sorted({key for keys in skynet._KNOWN.values() for key in keys})),
                st.text(max_size=30),
            ),
        ),
        max_size=25,
    ).map(lambda lines: "[SYNC]\n" + "\n".join(lines))
)
def test_any_file_is_answered_line_by_line(owner: Any, text: str) -> None:
    answer = owner("POST", "/import", {"text": text, "dry_run": True})

    assert answer.status in {200, 400, 422}, answer.document
    assert "never/seen+again" not in str(answer.document)
    assert "hunter2!" not in str(answer.document)
    if answer.status == 200:
        count = len(text.splitlines())
        assert all(0 <= line["line"] <= count for line in answer.document["lines"])
