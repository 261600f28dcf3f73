"""Data from a file or an address that the settings name, taken over when it changes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from nephos.config import load
from nephos.events import log
from nephos.importers import update
from nephos.library.models import Channel
from nephos.monitoring import queries
from nephos.recording import services as recording
from nephos.recording.models import Booking, Schedule

pytestmark = pytest.mark.django_db

DATA = """
channels:
  0:
    name: "La 2"
    ip: "239.255.20.2:{port}"
    timezone: "Europe/Madrid"
"""
JOBS = """
0:
  name: news
  channel_name: la_2
  start_time: 20:30
  duration: 30
  repetition: 0111110
"""


def settle(root: Path, *sources: str) -> load.Loaded:
    (root / "config").mkdir(parents=True, exist_ok=True)
    (root / "config/nephos.toml").write_text(f"[maintenance.update]\nsources = {list(sources)!r}\ntimeout_seconds = 2")
    loaded = load.load(root, environment={})
    loaded.home.create()
    return loaded


def told() -> list[tuple[int, int, int]]:
    return [(e.data["taken"], e.data["changed"], e.data["refused"]) for e in log.read(kind="update.taken")]


def test_files_are_taken_over_when_they_change_and_only_then(tmp_path: Path) -> None:
    loaded, check = settle(tmp_path, "data.yaml", "jobs.yaml"), update.Update()
    (tmp_path / "data.yaml").write_text(DATA.format(port=1234))
    (tmp_path / "jobs.yaml").write_text(JOBS)
    check.check(loaded)
    check.check(loaded)
    assert told() == [(1, 0, 0), (1, 0, 0)]
    assert Schedule.objects.get().channel == Channel.objects.get()

    (tmp_path / "data.yaml").write_text(DATA.format(port=1235))
    check.check(loaded)
    update.Update().check(loaded)  # after a restart: the same text changes nothing
    assert told()[2:] == [(0, 1, 0)]
    assert Channel.objects.get().address.endswith(":1235")


def test_what_is_refused_is_told_once_and_taken_as_soon_as_it_can_be(tmp_path: Path) -> None:
    loaded, check = settle(tmp_path, "jobs.yaml", "data.yaml"), update.Update()
    (tmp_path / "jobs.yaml").write_text(JOBS)  # the channel that it names comes only with the other file
    (tmp_path / "data.yaml").write_text("channels: {}\n")
    check.check(loaded)
    check.check(loaded)
    update.Update().check(loaded)  # after a restart, too
    assert told() == [(0, 0, 1)]

    (tmp_path / "data.yaml").write_text(DATA.format(port=1234))
    check.check(loaded)
    check.check(loaded)
    check.check(loaded)
    assert told()[1:] == [(1, 0, 0), (1, 0, 0)]
    assert Schedule.objects.get().name == "news"


def test_a_running_recording_is_not_touched_by_a_change_of_its_channel(tmp_path: Path) -> None:
    loaded, check = settle(tmp_path, "data.yaml"), update.Update()
    (tmp_path / "data.yaml").write_text(DATA.format(port=1234))
    check.check(loaded)
    booking = recording.record_now(channel=Channel.objects.get(), duration="1h")

    (tmp_path / "data.yaml").write_text("channels:\n  0:\n    name: 'Other'\n    ip: '239.1.1.1:99'\n")
    check.check(loaded)

    assert Booking.objects.get().pk == booking.pk
    assert Channel.objects.count() == 2  # what is no longer in the data stays


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (None, "cannot be read"),
        ("a: [unclosed", ""),
        ("disk_space_check:\n  enabled: true\n", "no data"),
        ("nothing: known", ""),
        ("x" * (4 * 1024 * 1024 + 1), "larger"),
    ],
)
def test_what_cannot_be_taken_over_is_one_problem_until_it_can(tmp_path: Path, text: str | None, word: str) -> None:
    loaded, check = settle(tmp_path, "data.yaml"), update.Update()
    if text is not None:
        (tmp_path / "data.yaml").write_text(text)
    check.check(loaded)
    check.check(loaded)
    view = queries.problems()[0]
    assert view.kind == "update.failed"
    assert word in view.reason
    assert len(log.read(kind="problem.opened")) == 1
    assert loaded.home.config_file.read_text().startswith("[maintenance.update]")

    (tmp_path / "data.yaml").write_text(DATA.format(port=1234))
    check.check(loaded)
    assert queries.problems() == []


@pytest.fixture
def web() -> Iterator[Any]:
    """A web server with one page."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/data" else 404)
            self.end_headers()
            self.wfile.write(DATA.format(port=1234).encode())

        def log_message(self, *_given: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_address_is_read_too(tmp_path: Path, web: Any) -> None:
    base = f"http://127.0.0.1:{web.server_address[1]}"
    update.Update().check(settle(tmp_path, f"{base}/data", f"{base}/gone", "http://127.0.0.1:1/none"))

    assert told() == [(1, 0, 0)]
    assert sorted(view.reason.split(" ")[1] for view in queries.problems()) == ["answered", "cannot"]
