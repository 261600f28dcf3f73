"""Settings: typed, checked, with their origin; secrets only by reference."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nephos.config import edit, errors, live, load, secret
from nephos.lib import ports

WHOLE = """
# kept
[connection.store]
kind = "s3"
[destination.archive]
connection = "store"
[watch.inbox]
folder = "/srv/inbox"
destinations = ["archive"]
"""


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("[web]\nprt = 1", "prt"),
        ("[web]\nport = 70000", "web.port"),
        ("[web]\nport = 'x'", "web.port"),
        ("web = 3", "web"),
        ("[nothing]\na = 1", "nothing"),
        ("[connection.'a b']\nkind = 's3'", "connection"),
        ("[destination.d]\nconnection = 'c'", "'c'"),
        ("[watch.w]\ndestinations = ['d']\nsets = true", "'d'"),
        ("[watch.w]\ndestinations = []\nsets = true", "watch"),
        ("[station]\nzone = 'Atlantis/Capital'", "Atlantis"),
        ("[station]\nzone = '../../etc/passwd'", "passwd"),
        ("[[watch]]", "watch"),
        ("x = ", "TOML"),
    ],
)
def test_bad_settings_name_what_is_wrong(text: str, word: str) -> None:
    with pytest.raises(errors.ConfigError) as caught:
        load.parse(text)

    assert word in caught.value.message


@given(st.text(max_size=200))
def test_any_text_loads_or_is_refused(text: str) -> None:
    try:
        load.parse(text)
    except errors.ConfigError as refused:
        told = refused.message
    else:
        told = "it loaded"
    assert told


def test_a_watch_needs_exactly_one_source() -> None:
    with pytest.raises(errors.ConfigError, match="exactly one"):
        load.parse(WHOLE.replace('folder = "/srv/inbox"', 'folder = "/srv/inbox"\nsets = true'))


@pytest.mark.parametrize("folder", ["/", "{home}", "{home}/databases", "{home}/config/plugins", "{link}"])
def test_a_watch_never_takes_in_the_state_of_the_station(tmp_path: Path, folder: str) -> None:
    place = load.load(tmp_path / "home", environment={}).home
    place.create()
    link = tmp_path / "link"
    link.symlink_to(place.root)
    edit.set_table(place, "connection", "disk", {"kind": "file"})
    edit.set_table(place, "destination", "shelf", {"connection": "disk", "base": str(tmp_path / "shelf")})
    before = place.config_file.read_text()

    with pytest.raises(errors.ConfigError, match="own state"):
        edit.set_table(
            place, "watch", "all", {"folder": folder.format(home=place.root, link=link), "destinations": ["shelf"]}
        )

    assert place.config_file.read_text() == before


def test_a_watch_may_take_in_recordings(tmp_path: Path) -> None:
    place = load.load(tmp_path, environment={}).home
    edit.set_table(place, "connection", "disk", {"kind": "file"})
    edit.set_table(place, "destination", "shelf", {"connection": "disk", "base": "/shelf"})

    edit.set_table(place, "watch", "raw", {"folder": str(place.recordings), "destinations": ["shelf"]})

    assert load.load(tmp_path, environment={}).settings.watch["raw"].folder == str(place.recordings)


def test_folders_that_were_moved_into_a_watch_are_noticed(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "nephos.toml").write_text(
        WHOLE.replace("/srv/inbox", "/srv") + "[paths]\ndatabases = '/srv/nephos'"
    )

    with pytest.raises(errors.ConfigError, match="/srv/nephos"):
        load.load(tmp_path, environment={})


def test_the_environment_wins_over_the_file_and_is_named_as_the_origin(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config/nephos.toml").write_text("[web]\nport = 1\nhost = '::1'\n")

    found = load.load(tmp_path, environment={"NEPHOS_WEB_PORT": "2"})

    assert (found.settings.web.port, found.settings.web.host) == (2, "::1")
    assert found.origins["web.port"] == "environment NEPHOS_WEB_PORT"
    assert found.origins["web.host"].endswith("nephos.toml")


def test_a_bad_value_in_the_environment_is_named(tmp_path: Path) -> None:
    with pytest.raises(errors.ConfigError, match="NEPHOS_WEB_PORT"):
        load.load(tmp_path, environment={"NEPHOS_WEB_PORT": "many"})


def test_folders_can_be_moved(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config/nephos.toml").write_text(f"[paths]\nrecordings = '{tmp_path}/big'\nlogs = 'elsewhere/logs'\n")

    home = load.load(tmp_path, environment={}).home
    home.create()

    assert home.recordings == tmp_path / "big"
    assert home.logs == tmp_path / "elsewhere/logs"
    assert home.recordings.is_dir()


def test_a_home_that_cannot_be_made_leaves_nothing_half_made(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home/recordings").write_text("a file in the way")
    before = sorted(tmp_path.rglob("*"))

    with pytest.raises(errors.HomeUnusable) as caught:
        load.load(tmp_path / "home", environment={}).home.create()

    assert caught.value.hint
    assert sorted(tmp_path.rglob("*")) == before


def test_an_edit_keeps_comments_and_a_bad_one_changes_nothing(tmp_path: Path) -> None:
    place = load.load(tmp_path, environment={}).home
    place.create()
    place.config_file.write_text(WHOLE)

    edit.set_value(place, "web.port", 8601)
    with pytest.raises(errors.ConfigError):
        edit.remove(place, "connection.store")
    with pytest.raises(errors.ConfigError):
        edit.set_value(place, "web.port", "x")
    with pytest.raises(errors.ConfigError):
        edit.set_value(place, "web", 1)

    text = place.config_file.read_text()
    assert "# kept" in text
    assert load.parse(text).web.port == 8601
    assert place.config_file.stat().st_mode & 0o077 == 0


@pytest.mark.skipif(ports.fcntl is None, reason="the twin of this lock is msvcrt's, which only Windows has")
def test_changes_at_the_same_time_all_count(tmp_path: Path) -> None:
    place = load.load(tmp_path, environment={}).home
    names = [f"disk{number}" for number in range(16)]

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: edit.set_table(place, "connection", name, {"kind": "file"}), names))
        list(pool.map(lambda name: edit.remove(place, f"connection.{name}"), names[:8]))

    assert sorted(load.load(tmp_path, environment={}).settings.connection) == sorted(names[8:])


def test_a_good_change_is_taken_up_and_a_bad_one_is_told(tmp_path: Path) -> None:
    first = load.load(tmp_path, environment={})
    first.home.create()
    following = live.Live(first)

    edit.set_value(first.home, "web.port", 8700)
    assert following.current().settings.web.port == 8700

    first.home.config_file.write_text("[web]\nport = 'broken'\n")
    assert following.current().settings.web.port == 8700
    assert "web.port" in following.problem


def test_secrets_never_print_and_are_never_written_in_plain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_KEY", "hunter2")
    kept = tmp_path / "key"
    kept.write_text("hunter3\n")
    kept.chmod(0o600)

    found = secret.resolve("env:A_KEY", name="access_key")

    assert found.reveal() == "hunter2"
    assert "hunter2" not in f"{found} {found!r}"
    assert secret.resolve(f"file:{kept}", name="access_key").reveal() == "hunter3"
    with pytest.raises(errors.ConfigError):
        secret.resolve("hunter2", name="access_key")
    with pytest.raises(errors.SecretMissing, match="NOT_THERE"):
        secret.resolve("env:NOT_THERE", name="access_key")
    kept.chmod(0o644)
    with pytest.raises(errors.SecretMissing, match="other users"):
        secret.resolve(f"file:{kept}", name="access_key")
