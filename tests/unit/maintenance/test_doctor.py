"""The doctor says what is missing and what to do."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from nephos.config import load
from nephos.daemon import roles
from nephos.maintenance import doctor, machine, vitals


def found(root: Path, name: str) -> list[doctor.Finding]:
    return [finding for finding in doctor.examine(root) if finding.name == name]


@pytest.fixture(autouse=True)
def few_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "CHECKS", tuple(check for check in doctor.CHECKS if check is not doctor.programs))
    monkeypatch.setattr(machine, "clock_is_synchronised", lambda: None)
    for name in [name for name in os.environ if name.startswith("NEPHOS_")]:
        monkeypatch.delenv(name)


def test_a_fresh_place_is_fit(tmp_path: Path) -> None:
    states = {finding.name: finding.state for finding in doctor.examine(tmp_path / "home")}

    assert states["settings"] is doctor.State.OK
    assert states["folders"] is doctor.State.OK
    assert states["database"] is doctor.State.OK
    assert list(tmp_path.iterdir()) == []


def test_bad_settings_end_it_with_the_key(home: load.Loaded) -> None:
    home.home.config_file.write_text("[web]\nprt = 1\n")

    (only,) = doctor.examine(home.home.root)

    assert only.state is doctor.State.FAIL
    assert "prt" in only.sentence


def test_a_kind_of_storage_that_does_not_exist_fails_the_settings(home: load.Loaded) -> None:
    home.home.config_file.write_text('[connection.a]\nkind = "zip"\n')

    (only,) = doctor.examine(home.home.root)

    assert only.state is doctor.State.FAIL
    assert "zip" in only.sentence


@pytest.mark.parametrize("name", ["ffmpeg", "ffprobe"])
def test_a_missing_program_fails_with_the_way_to_get_it(
    name: str, monkeypatch: pytest.MonkeyPatch, home: load.Loaded
) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)

    findings = {finding.name: finding for finding in doctor.programs(home)}

    assert findings[name].state is doctor.State.FAIL
    assert "apt-get install ffmpeg" in findings[name].hint


def test_little_space_warns_and_less_fails(home: load.Loaded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "free_bytes", lambda _: 1 << 30)
    assert {finding.state for finding in found(home.home.root, "space")} == {doctor.State.WARN}

    monkeypatch.setattr(machine, "free_bytes", lambda _: 1 << 20)
    assert {finding.state for finding in found(home.home.root, "space")} == {doctor.State.FAIL}


def test_a_file_in_the_way_of_a_folder_fails(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")

    (only,) = doctor.examine(tmp_path / "home")

    assert only.state is doctor.State.FAIL


def test_a_clock_of_long_ago_fails(home: load.Loaded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "year", lambda: 1970)

    assert found(home.home.root, "clock")[0].state is doctor.State.FAIL


def test_a_damaged_database_fails(home: load.Loaded) -> None:
    home.home.database.write_bytes(b"this is no database" * 100)

    assert found(home.home.root, "database")[0].state is doctor.State.FAIL


def test_a_taken_port_fails_unless_it_is_ours(home: load.Loaded, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        home.home.config_file.write_text(f"[web]\nport = {taken.getsockname()[1]}\n")
        assert found(home.home.root, "port")[0].state is doctor.State.FAIL

        monkeypatch.setattr(machine, "station_runs", lambda _: True)
        assert found(home.home.root, "port")[0].state is doctor.State.OK


@pytest.mark.parametrize(
    ("host", "advice"), [("192.0.2.7", "no address of this machine"), ("no-such.invalid", "no address")]
)
def test_an_address_that_is_not_ours_is_told_from_a_taken_port(home: load.Loaded, host: str, advice: str) -> None:
    home.home.config_file.write_text(f'[web]\nhost = "{host}"\n')
    found = {finding.name: finding for finding in doctor.network(load.load(home.home.root, environment={}))}

    assert found["port"].state is doctor.State.FAIL
    assert advice in found["port"].hint


@pytest.mark.parametrize(
    ("settings", "state", "word"),
    [
        ("", "warn", "Nobody"),
        ('[mail]\nhost = "h"', "warn", "Nobody"),
        ('[mail]\nhost = "h"\ncritical = ["a@example.org"]', "ok", "a@example.org"),
        ('[mail]\nhost = "h"\nenabled = false\ncritical = ["a@example.org"]', "warn", "Nobody"),
        ('[webhook.chat]\nurl = "https://example.org/"', "ok", "webhook chat"),
        ('[webhook.chat]\nurl = "https://example.org/"\n[monitoring]\nenabled = false', "warn", "Nobody"),
    ],
)
def test_it_is_said_when_nobody_would_be_told(home: load.Loaded, settings: str, state: str, word: str) -> None:
    home.home.config_file.write_text(settings)
    (found,) = doctor.telling(load.load(home.home.root, environment={}))

    assert found.state == state
    assert word in found.sentence


def test_a_page_for_everybody_without_tls_warns(home: load.Loaded) -> None:
    home.home.config_file.write_text('[web]\nhost = "0.0.0.0"\nport = 0\n')

    assert found(home.home.root, "tls")[0].state is doctor.State.WARN


def test_vitals_name_the_roles_of_the_daemon(home: load.Loaded) -> None:
    assert tuple(roles.ROLES) == vitals.ROLES

    told = vitals.describe(home)

    assert told["running"] is False
    assert {role["state"] for role in told["roles"]} == {"stopped"}
