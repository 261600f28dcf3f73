"""Files with Range: what players ask for, what strangers must not get."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient, Client

pytestmark = pytest.mark.django_db(transaction=True)

CONTENT = bytes(range(256)) * 4096  # 1 MiB


class Answer:
    """A whole answer: streams are read to their end."""

    def __init__(self, response: Any, body: bytes) -> None:
        self.status, self.headers, self.body = response.status_code, response.headers, body


@pytest.fixture
def fetch(place: Any) -> Callable[..., Answer]:
    from nephos.web import roles, services

    user = services.add_user(name="viewer", role=roles.Role.VIEWER)

    async def get(path: str, method: str = "GET", **headers: str) -> Answer:
        client = AsyncClient()
        await client.aforce_login(user)
        response = await client.generic(method, path, headers={key.replace("_", "-"): v for key, v in headers.items()})
        body = b"".join([block async for block in response]) if response.streaming else response.content
        return Answer(response, body)

    return async_to_sync(get)


@pytest.fixture
def registered(place: Any) -> Callable[..., str]:
    """Registers a file of an asset and returns its address."""
    from nephos.library import services, states

    asset = services.begin_fileset(key="x", title="x", watch="w", stem="x", pipeline="")

    def register(name: str, content: bytes = CONTENT, *, place_: str = states.Place.PROCESSED, path: str = "") -> str:
        folder = place.processed / "media-test"
        folder.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
        row = services.add_file(
            asset=asset, kind="video", place=states.Place(place_), path=path or f"media-test/{name}",
            size_bytes=len(content), sha256="0" * 64,
        )  # fmt: skip
        return f"/media/{row.pk}/{name}"

    return register


def test_a_file_comes_whole_with_its_type(fetch: Any, registered: Any) -> None:
    answer = fetch(registered("a.mp4"))

    assert (answer.status, answer.body) == (200, CONTENT)
    assert answer.headers["Content-Type"] == "video/mp4"
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["Content-Length"] == str(len(CONTENT))


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=100-299", 100, 299),
        ("bytes=1048000-", 1048000, 1048575),
        ("bytes=-10", 1048566, 1048575),
    ],
)
def test_a_part_is_exactly_the_part(fetch: Any, registered: Any, asked: str, start: int, end: int) -> None:
    answer = fetch(registered("a.mp4"), Range=asked)

    assert answer.status == 206
    assert answer.headers["Content-Range"] == f"bytes {start}-{end}/{len(CONTENT)}"
    assert answer.headers["Content-Length"] == str(end - start + 1)
    assert answer.body == CONTENT[start : end + 1]


def test_a_part_beyond_the_end_is_refused_with_the_size(fetch: Any, registered: Any) -> None:
    answer = fetch(registered("a.mp4"), Range="bytes=2000000-")

    assert (answer.status, answer.headers["Content-Range"]) == (416, "bytes */1048576")


def test_head_tells_without_content(fetch: Any, registered: Any) -> None:
    address = registered("a.mp4")

    whole, part = fetch(address, "HEAD"), fetch(address, "HEAD", Range="bytes=0-9")

    assert (whole.status, whole.body, whole.headers["Content-Length"]) == (200, b"", "1048576")
    assert (part.status, part.body, part.headers["Content-Length"]) == (206, b"", "10")


def test_a_part_of_a_file_that_changed_since_is_the_whole_new_one(fetch: Any, registered: Any) -> None:
    address = registered("a.mp4")
    known = fetch(address, "HEAD").headers

    assert fetch(address, Range="bytes=0-9", If_Range=known["ETag"]).status == 206
    assert fetch(address, Range="bytes=0-9", If_Range=known["Last-Modified"]).status == 206
    assert fetch(address, Range="bytes=0-9", If_Range='"old"').status == 200
    assert fetch(address, Range="bytes=0-9", If_Range="Mon, 01 Jan 2024 00:00:00 GMT").status == 200
    assert fetch(address, If_None_Match=known["ETag"]).status == 304


def test_a_file_that_still_grows_is_served_as_it_is(fetch: Any, registered: Any, place: Any) -> None:
    address = registered("growing.ts", b"G" * 1880)
    with (place.processed / "media-test/growing.ts").open("ab") as growing:
        growing.write(b"H" * 188)

    answer = fetch(address, Range="bytes=1880-")

    assert (answer.status, answer.body) == (206, b"H" * 188)
    assert answer.headers["Content-Type"] == "video/mp2t"


@pytest.mark.parametrize(
    ("name", "kind", "disposition"),
    [
        ("a.vtt", "text/vtt; charset=utf-8", "inline"),
        ("a.JPG", "image/jpeg", "inline"),
        ("a.html", "application/octet-stream", "attachment"),
        ("a.svg", "application/octet-stream", "attachment"),
        ("a.json", "application/octet-stream", "attachment"),
        ("x 'y' <b>.txt", "application/octet-stream", "attachment"),
    ],
)
def test_only_harmless_kinds_are_shown_all_else_is_a_download(
    fetch: Any, registered: Any, name: str, kind: str, disposition: str
) -> None:
    answer = fetch(quote(registered(name)))

    assert answer.status == 200
    assert answer.headers["Content-Type"] == kind
    assert answer.headers["Content-Disposition"].startswith(disposition)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_strangers_get_nothing(registered: Any) -> None:
    answer = Client().get(registered("a.mp4"))

    assert answer.status_code == 401
    assert CONTENT[:50] not in answer.content


def test_only_registered_files_by_their_own_name(fetch: Any, registered: Any) -> None:
    address = registered("a.mp4")

    assert fetch(address.replace("a.mp4", "b.mp4")).status == 404
    assert fetch("/media/4711/a.mp4").status == 404
    assert fetch("/media/../../etc/passwd").status == 404
    assert fetch(address, "POST").status in (403, 405)


def test_a_row_that_points_outside_the_home_serves_nothing(fetch: Any, registered: Any, place: Any) -> None:
    outside = Path(place.root) / "secret.mp4"
    outside.write_bytes(b"secret")
    link = place.processed / "media-test" / "link.mp4"
    address = registered("secret.mp4", path="../secret.mp4")
    linked = registered("link.mp4")
    link.unlink()
    link.symlink_to(outside)

    assert fetch(address).status == 404
    assert fetch(linked).status == 404


def test_a_file_that_is_gone_is_not_found(fetch: Any, registered: Any, place: Any) -> None:
    address = registered("a.mp4")
    (place.processed / "media-test/a.mp4").unlink()

    assert fetch(address).status == 404


def test_a_missing_file_opens_no_connection_that_nobody_closes(
    fetch: Any, place: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Django shows failures of asynchronous views in another thread; ours must not ask the database there."""
    from nephos.web import access

    asked: list[str] = []
    seen = access.find_caller
    monkeypatch.setattr(access, "find_caller", lambda request: asked.append(request.path) or seen(request))

    assert fetch("/media/4711/a.mp4").status == 404

    assert asked == ["/media/4711/a.mp4"]  # once, by the middleware
