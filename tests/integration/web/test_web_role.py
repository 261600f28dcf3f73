"""The real web role: two doors, the doorbell, starting and stopping."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from nephos.client import http
from nephos.lib import errors as lib_errors
from tests.support import waiting, web_role


def owner(station: web_role.WebRole) -> http.Client:
    return http.Client(http.UnixSocket(station.loaded.home.api_socket, timeout=timedelta(seconds=20)))


@pytest.fixture
def browser(station: web_role.WebRole) -> Iterator[web_role.Browser]:
    """Somebody who came in by a fresh link."""
    made = web_role.Browser(station.address())
    link = json.loads(station.prepare().stdout)["login"]
    assert made.send(link).status == 302
    yield made
    made.close()


def test_the_socket_is_the_owners_alone_and_makes_them_admin(station: web_role.WebRole) -> None:
    mode = station.loaded.home.api_socket.stat().st_mode

    assert stat.S_IMODE(mode) == 0o600
    assert any(user["name"] == "owner" for user in owner(station).get("/users"))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"nephos.local": "true"},
        {"X-Nephos-Local": "1", "X-Forwarded-For": "127.0.0.1", "X-Real-IP": "127.0.0.1"},
        {"Host": "nephos"},
        {"Authorization": "Bearer "},
    ],
)
def test_nobody_on_tcp_can_pretend_to_be_the_owner(station: web_role.WebRole, headers: dict[str, str]) -> None:
    stranger = web_role.Browser(station.address())

    answer = stranger.open("/api/v1/users", headers=headers)

    assert answer.status == 401


def test_a_ring_tells_that_something_happened_and_carries_no_content(
    station: web_role.WebRole, browser: web_role.Browser
) -> None:
    heard: list[dict[str, str]] = []
    browser.listen(heard)
    waiting.until(lambda: _listeners(station) >= 1, seconds=5, what="a listener")

    made = owner(station).post("/channels", {"name": "Secret name", "address": "udp://239.9.9.1:5004"})
    waiting.until(lambda: any(ring["topic"] == "channel" for ring in heard), seconds=5, what="a ring")

    assert {"topic": "channel", "id": str(made["id"])} in heard
    assert "Secret" not in str(heard)


def _listeners(station: web_role.WebRole) -> int:
    from nephos.lib import heartbeats

    beat = heartbeats.read(station.loaded.home.run, "web") or {}
    return int(beat["details"].get("listeners", 0))


def test_one_reader_serves_many_listeners_and_a_dead_one_harms_nobody(
    station: web_role.WebRole, browser: web_role.Browser
) -> None:
    streams: list[list[dict[str, str]]] = [[] for _ in range(20)]
    for heard in streams:
        browser.listen(heard)
    with socket.create_connection((browser.host, browser.port)) as rude:
        cookie = "; ".join(f"{key}={value}" for key, value in browser.cookies.items())
        rude.sendall(f"GET /events/stream HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\n\r\n".encode())
    waiting.until(lambda: _listeners(station) >= 20, seconds=10, what="the listeners")

    owner(station).post("/channels", {"name": "Another", "address": "udp://239.9.9.2:5004"})

    waiting.until(
        lambda: all(any(ring["topic"] == "channel" for ring in heard) for heard in streams), seconds=5, what="all rings"
    )


def test_strangers_hear_nothing(station: web_role.WebRole) -> None:
    answer = web_role.Browser(station.address()).open("/events/stream", headers={"Accept": "text/event-stream"})

    assert answer.status == 401


def test_a_role_that_is_killed_rings(station: web_role.WebRole, browser: web_role.Browser) -> None:
    from nephos.lib import locks
    from nephos.lib.heartbeats import Heartbeat

    heard: list[dict[str, str]] = []
    Heartbeat(station.loaded.home.run, "keeper").beat(now=True)
    with locks.FileLock(station.loaded.home.run / "keeper.lock"):
        browser.listen(heard)
        waiting.until(lambda: _listeners(station) >= 1, seconds=5, what="a listener")
        threading.Event().wait(1.5)

    waiting.until(lambda: {"topic": "role", "id": "keeper"} in heard, seconds=5, what="the ring of a fallen lock")


def test_it_stops_although_streams_are_open(tmp_path: Path) -> None:
    running = web_role.WebRole(tmp_path)
    running.start()
    browser = web_role.Browser(running.address())
    browser.send(running.login)
    streams = [browser.listen([]) for _ in range(5)]

    running.stop()

    for stream in streams:
        stream.join(timeout=5)
    browser.close()
    assert not any(stream.is_alive() for stream in streams)
    assert not running.loaded.home.api_socket.exists()


def test_a_taken_port_is_one_sentence_a_hint_and_the_right_code(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        role = web_role.WebRole(tmp_path, port=port)
        role.loaded.home.create()

        ended = subprocess.run(role.argv, env=role.environment, capture_output=True, text=True, timeout=30, check=False)

    assert ended.returncode == lib_errors.ExitCode.NOT_NOW
    assert f"web: The page cannot listen on 127.0.0.1:{port}: Address already in use.\nhint: " in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_socket_that_a_killed_role_left_is_replaced_and_a_long_path_works(tmp_path: Path) -> None:
    role = web_role.WebRole(tmp_path / ("deep-" * 20))
    role.loaded.home.create()
    role.start()
    assert role.process is not None
    role.process.kill()
    role.process.communicate()
    assert role.loaded.home.api_socket.exists()

    (role.loaded.home.run / "web.json").unlink()
    role.start()

    assert role.loaded.home.api_socket.exists()
    role.stop()


def test_prepare_makes_the_owner_and_a_fresh_link_each_time(tmp_path: Path) -> None:
    role = web_role.WebRole(tmp_path)

    first, second = role.prepare(), role.prepare()

    links = [json.loads(one.stdout)["login"] for one in (first, second)]
    assert all(link.startswith("/login/") for link in links)
    assert links[0] != links[1]
    assert first.stdout.count("\n") == 1
    assert role.loaded.home.database.exists()


def test_a_database_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    import sqlite3

    role = web_role.WebRole(tmp_path)
    role.prepare()
    with sqlite3.connect(role.loaded.home.database) as database:
        database.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES ('library', '9999_future', '2030-01-01')"
        )
    database.close()

    refused = role.prepare()

    assert refused.returncode == lib_errors.ExitCode.NOT_NOW
    assert refused.stdout == ""
    assert refused.stderr.startswith(
        "The database was made by a newer version of Nephos: it knows library.9999_future.\nhint: "
    )
    assert refused.stderr.count("\n") == 2


def test_a_database_that_is_none_is_one_sentence(tmp_path: Path) -> None:
    role = web_role.WebRole(tmp_path)
    role.loaded.home.create()
    role.loaded.home.database.write_bytes(os.urandom(8192))

    refused = role.prepare()

    assert refused.returncode == lib_errors.ExitCode.UNREACHABLE
    assert refused.stderr.startswith("The database cannot be used: ")
    assert "Traceback" not in refused.stderr


def test_the_login_links_secret_is_in_no_log(station: web_role.WebRole, browser: web_role.Browser) -> None:
    log = (station.loaded.home.logs / "web.log").read_text()

    assert "/login/" not in log
