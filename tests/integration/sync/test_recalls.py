"""Restoring, verifying, auditing: what was delivered is read again. And pauses, which stop it all."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

import pytest

from nephos.sync import queries
from tests.fakes.proxy import Proxy
from tests.fakes.s3 import S3Server
from tests.fakes.sync import Station

MIB = 1 << 20


@pytest.fixture
def cloud(station: Station, inbox: Path, proxy: Proxy, s3_server: S3Server) -> Station:
    station.connect("cloud", "s3", "bench/in", s3_server.options(endpoint=proxy.endpoint))
    station.watch("inbox", "cloud", folder=inbox)
    return station


def test_a_watch_is_brought_back_into_another_folder_and_nothing_is_replaced(
    cloud: Station, inbox: Path, tmp_path: Path
) -> None:
    content = {"a/b.ts": os.urandom(3 * MIB), "a/c": b"small", "d": b""}
    for name, body in content.items():
        (inbox / name).parent.mkdir(exist_ok=True)
        (inbox / name).write_bytes(body)
    back = tmp_path / "back"
    (back / "a").mkdir(parents=True)
    (back / "a" / "c").write_bytes(b"something else")

    with cloud.running():
        cloud.until_delivered(*content)
        cloud.order("restore", watch="inbox", to=str(back))
        cloud.until(lambda: [each.state for each in queries.recalls(cloud.home)] == ["done"] * 3)

    assert (back / "a" / "b.ts").read_bytes() == content["a/b.ts"]
    assert (back / "a" / "c").read_bytes() == b"something else"
    assert (back / "a" / "c-2").read_bytes() == b"small"
    assert sorted(path.name for path in back.rglob("*") if path.is_file()) == ["b.ts", "c", "c-2", "d"]


def test_a_restore_goes_on_where_it_stopped(cloud: Station, inbox: Path, tmp_path: Path, proxy: Proxy) -> None:
    body = os.urandom(4 * MIB)
    (inbox / "big").write_bytes(body)
    with cloud.running():
        cloud.until_delivered("big")
        cloud.order("pause", destination="cloud")
        cloud.order("restore", watch="inbox", paths=["big"], to=str(tmp_path / "back"))
        cloud.until(lambda: queries.recalls(cloud.home))
    number = queries.recalls(cloud.home)[0].id
    (tmp_path / "back").mkdir()
    (tmp_path / "back" / f".nephos-{number}.part").write_bytes(body[: 3 * MIB])

    with cloud.running():
        cloud.order("resume")
        cloud.until((tmp_path / "back" / "big").exists)

    assert (tmp_path / "back" / "big").read_bytes() == body


def test_what_was_spoilt_there_is_found_and_sent_anew(cloud: Station, inbox: Path, s3_server: S3Server) -> None:
    (inbox / "good").write_bytes(b"good")
    (inbox / "bad").write_bytes(b"first")
    with cloud.running():
        cloud.until_delivered("good", "bad")
        (s3_server.bucket / "in" / "bad").write_bytes(b"spoil")
        cloud.order("verify", watch="inbox")
        cloud.until(lambda: {each.path: each.state for each in queries.recalls(cloud.home)} == WANTED)
        cloud.until(lambda: content(s3_server.bucket / "in" / "bad") == b"first")
        cloud.until_delivered("bad")


def content(place: Path) -> bytes:
    """What is there; nothing while the server replaces it."""
    with contextlib.suppress(FileNotFoundError):
        return place.read_bytes()
    return b""


WANTED = {"good": "done", "bad": "failed"}


@pytest.mark.parametrize("scope", [{}, {"watch": "inbox"}, {"destination": "cloud"}, {"path": "big"}])
def test_a_pause_stops_all_bytes_within_a_second_and_over_a_restart(
    cloud: Station, inbox: Path, proxy: Proxy, scope: dict[str, str]
) -> None:
    cloud.tables["sync"] |= {"single_put_bytes": MIB, "part_bytes": 5 * MIB}
    body = os.urandom(24 * MIB)
    (inbox / "big").write_bytes(body)
    proxy.bytes_per_second = 6 * MIB
    with cloud.running():
        cloud.until(lambda: proxy.passed_bytes > 2 * MIB)
        cloud.order("pause", **scope)
        time.sleep(1)
        before = proxy.passed_bytes
        time.sleep(0.7)
        assert proxy.passed_bytes == before
        assert cloud.states()["big"] == "ready"
    with cloud.running():
        time.sleep(1)
        assert proxy.passed_bytes == before
        proxy.bytes_per_second = 0
        cloud.order("resume", **scope)
        cloud.until_delivered("big")
