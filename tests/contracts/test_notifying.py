"""One suite for every way to tell people, the fake one included."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from nephos.config import upkeep
from nephos.monitoring import errors
from nephos.monitoring.channels import base, webhook
from nephos.monitoring.channels import mail as by_mail
from tests.fakes import mail
from tests.fakes.channel import FakeChannel

MESSAGE = base.Message(
    uid="7:x:ops",
    receiver="ops@example.org",
    title="[hill] A\r\nBcc: x@y is down",
    body="What: \u00e9\u4e2d\n.\nlast",
    payload={"kind": "problem.opened"},
)


@dataclass
class Way:
    """A channel, what it has told (uid, title, text), and how to make the other side say no."""

    channel: base.Channel
    told: Callable[[], list[tuple[str, str, str]]]
    say: Callable[[str], None]


@contextmanager
def fake(_folder: Path) -> Iterator[Way]:
    made = FakeChannel()

    def say(word: str) -> None:
        made.mood = word

    yield Way(made, lambda: [(one.uid, one.title, one.body) for one in made.told], say)


@contextmanager
def smtp(folder: Path) -> Iterator[Way]:
    with mail.serving(folder) as box:
        settings = upkeep.Mail(host="127.0.0.1", port=box.port, security="none", timeout_seconds=5)

        def say(word: str) -> None:
            box.answers = {"later": {"*": "451 later"}, "never": {"*": "550 never"}}.get(word, {})

        def told() -> list[tuple[str, str, str]]:
            return [(str(m["Message-ID"]), str(m["Subject"]), str(m.get_content())) for m in box.letters]

        yield Way(by_mail.MailChannel(settings), told, say)


@dataclass
class _Hook:
    status: int = 204
    bodies: list[dict[str, Any]] = field(default_factory=list)


@contextmanager
def hook(_folder: Path) -> Iterator[Way]:
    kept = _Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if kept.status < 300:
                kept.bodies.append(body)
            self.send_response(kept.status)
            self.end_headers()

        def log_message(self, *_given: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    settings = upkeep.Webhook(url=f"http://127.0.0.1:{server.server_address[1]}/", timeout_seconds=5)

    def say(word: str) -> None:
        kept.status = {"later": 503, "never": 422}.get(word, 204)

    try:
        yield Way(
            webhook.WebhookChannel("chat", settings),
            lambda: [(one["delivery"], one["title"], one["text"]) for one in kept.bodies],
            say,
        )
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(params=[fake, smtp, hook])
def way(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Way]:
    make: Callable[[Path], AbstractContextManager[Way]] = request.param
    with make(tmp_path) as made:
        yield made


def test_what_is_told_arrives_whole_and_once(way: Way) -> None:
    way.channel.tell(MESSAGE)

    ((_uid, title, text),) = way.told()
    assert "A" in title
    assert "is down" in title
    assert "\u00e9\u4e2d" in text
    assert text.rstrip().endswith("last")


def test_what_may_be_taken_later_says_so_and_goes_then_under_the_same_name(way: Way) -> None:
    way.channel.tell(MESSAGE)
    way.say("later")
    with pytest.raises(errors.NotTold) as caught:
        way.channel.tell(MESSAGE)
    assert caught.value.message
    assert not caught.value.permanent

    way.say("")
    way.channel.tell(MESSAGE)
    first, again = way.told()
    assert first[0] == again[0]


def test_what_is_never_taken_says_so(way: Way) -> None:
    way.say("never")

    with pytest.raises(errors.Refused) as caught:
        way.channel.tell(MESSAGE)
    assert caught.value.permanent
    assert way.told() == []
