"""What every answer carries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", ["/", "/login", "/healthz", "/nowhere", "/static/css/tokens.css", "/recordings"])
def test_every_answer_forbids_foreign_and_inline_code(person: Callable[..., Client], path: str) -> None:
    headers = person().get(path).headers

    policy = headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize(
    "path", ["/", "/channels", "/schedules/preview", "/recordings/1", "/system/parts/checks", "/now/parts/roles"]
)
def test_pages_need_a_person(place: Any, path: str) -> None:
    answer = Client().get(path)

    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/login?next=")


@pytest.mark.parametrize("accept", ["text/event-stream", "application/json", "image/avif,image/webp"])
def test_scripts_and_streams_are_refused_plainly(place: Any, accept: str) -> None:
    assert Client().get("/events/stream", headers={"Accept": accept}).status_code == 401
    assert Client().get("/now/parts/roles", headers={"X-Part": "1"}).status_code == 401


@pytest.mark.parametrize("path", ["/loginx", "/staticx/a", "/healthzz", "/apix"])
def test_no_door_is_open_by_the_beginning_of_its_name(place: Any, path: str) -> None:
    assert Client().get(path).status_code == 302


def test_health_tells_strangers_only_that_it_is_there(place: Any) -> None:
    answer = Client().get("/healthz")

    assert (answer.status_code, answer.content) == (200, b"ok\n")


def test_static_files_come_whole_and_a_missing_one_is_missing(place: Any) -> None:
    client = Client()

    found = client.get("/static/vendor/htmx-2.0.11/htmx.min.js")

    assert found.status_code == 200
    assert found.headers["Content-Type"].startswith("text/javascript")
    assert b"htmx" in found.content
    assert client.get("/static/css/nothing.css").status_code == 404
    assert client.get("/static/../settings.py").status_code in (302, 404)


def test_a_page_that_others_can_reach_without_tls_says_so(person: Callable[..., Client], monkeypatch: Any) -> None:
    from nephos.web import context

    monkeypatch.setattr(context, "is_open_to_others", lambda _host: True)

    assert "can be reached from other machines without encryption" in person().get("/").content.decode()


@pytest.mark.parametrize(
    ("host", "is_open"),
    [("127.0.0.1", False), ("::1", False), ("localhost", False), ("0.0.0.0", True), ("station.lan", True)],
)
def test_only_loopback_is_closed_to_others(host: str, is_open: bool) -> None:
    from nephos.web import context

    assert context.is_open_to_others(host) is is_open
