"""Problems open and close once; each is told once to everybody who is to know, whatever happens between."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from nephos.config import load
from nephos.events import kinds, log
from nephos.lib import clock
from nephos.monitoring import notifier, postman, queries, services
from nephos.monitoring.models import Notice, Problem
from nephos.monitoring.states import Weight
from tests.fakes import mail

pytestmark = pytest.mark.django_db

Settle = Callable[[str], load.Loaded]
LOW = services.Finding(
    key="disk.low:/srv",
    kind="disk.low",
    subject="volume:/srv",
    sentence="The disk is nearly full.",
    reason="1 GiB is free.",
    retry="It is looked at every minute.",
    hint="Make room.",
    weight=Weight.WARNING,
)


def settings(box: mail.Box, more: str = "") -> str:
    return f"""
[station]
name = "hill"
zone = "Europe/Madrid"
[mail]
host = "127.0.0.1"
port = {box.port}
security = "none"
sender = "nephos@example.org"
critical = ["ops@example.org"]
report = ["boss@example.org"]
{more}
"""


def tell(loaded: load.Loaded) -> None:
    notifier.read(loaded)
    postman.Postman(postman.MAIL).round(loaded)
    postman.Postman(postman.WEBHOOKS).round(loaded)


def due_now() -> None:
    Notice.objects.update(due_at=clock.now() - timedelta(seconds=1))


def test_a_problem_opens_once_and_closes_once() -> None:
    assert services.report(LOW)
    assert not services.report(LOW)
    assert services.clear(LOW.key)
    assert not services.clear(LOW.key)
    assert services.report(LOW)

    assert [entry.kind for entry in log.read()] == ["problem.opened", "problem.closed", "problem.opened"]
    assert [view.state for view in queries.problems(state="")] == ["open", "closed"]


def test_what_happens_again_is_counted() -> None:
    services.note(LOW)
    services.note(LOW)
    services.note(LOW)

    assert queries.problems()[0].count == 3


def test_a_problem_that_changes_tells_the_newest_without_another_alert() -> None:
    import dataclasses

    services.report(LOW)
    services.report(dataclasses.replace(LOW, reason="500 MiB is free."))

    assert queries.problems()[0].reason == "500 MiB is free."
    assert len(log.read()) == 1


def test_one_mail_when_it_begins_and_one_when_it_is_over(settle: Settle, box: mail.Box) -> None:
    loaded = settle(settings(box))
    services.report(LOW)
    tell(loaded)
    tell(loaded)
    services.report(LOW)
    tell(loaded)

    assert box.titles() == ["[hill] The disk is nearly full"]
    letter = box.letters[0]
    text = letter.get_content()
    assert box.receivers == ["ops@example.org"]
    assert letter["From"] == "nephos@example.org"
    assert letter["Auto-Submitted"] == "auto-generated"
    for words in ("What:", "Why:", "1 GiB is free.", "Tried again:", "every minute", "Make room.", "Europe/Madrid"):
        assert words in text

    services.clear(LOW.key)
    tell(loaded)
    tell(loaded)
    assert box.titles()[1:] == ["[hill] Over: The disk is nearly full"]


def test_no_name_of_a_channel_can_write_a_header(settle: Settle, box: mail.Box) -> None:
    import dataclasses

    loaded = settle(settings(box))
    services.report(dataclasses.replace(LOW, sentence="A\r\nBcc: thief@example.org\r\n\r\nBuy\x00\x1b[31m this"))
    tell(loaded)

    letter = box.letters[0]
    assert box.receivers == ["ops@example.org"]
    assert letter["Bcc"] is None
    assert letter["Subject"] == "[hill] A Bcc: thief@example.org Buy [31m this"
    assert "\x1b" not in letter.get_content()


def test_a_text_arrives_as_it_was_written(settle: Settle, box: mail.Box) -> None:
    loaded = settle(settings(box))
    body = "From Sunday on\n.\n..two\nFrom Málaga: \u2713 " + "long " * 300 + "\n-- \nend"
    log.emit(kinds.DigestMade(subject="station", day="22 November", summary="fine", body=body, figures={}))
    tell(loaded)

    assert box.letters[0].get_content().replace("\r\n", "\n").startswith(body)


def test_mail_waits_for_a_server_that_is_down_and_comes_once(settle: Settle, tmp_path: Path) -> None:
    with mail.serving(tmp_path) as gone:
        port = gone.port
    loaded = settle(settings(gone))
    services.report(LOW)
    for _ in range(4):
        tell(loaded)
        due_now()

    assert "cannot be reached" in Notice.objects.filter(tries__gte=3).get(channel="mail").reason
    assert [view.kind for view in queries.problems()] == ["notice.failing", "disk.low"]

    with mail.serving(tmp_path, port=port) as back:
        tell(loaded)
        due_now()
        tell(loaded)
        assert back.titles() == ["[hill] The disk is nearly full"]
    assert [view.kind for view in queries.problems()] == ["disk.low"]


def test_a_receiver_that_is_refused_keeps_no_other_from_its_mail(settle: Settle, box: mail.Box) -> None:
    text = settings(box).replace('["ops@example.org"]', '["gone@example.org", "grey@example.org", "ops@example.org"]')
    box.answers = {"gone@example.org": "550 nobody here", "grey@example.org": "450 later"}
    loaded = settle(text)
    services.report(LOW)
    tell(loaded)

    assert box.receivers == ["ops@example.org"]
    assert {one.receiver: one.state for one in queries.notices()} == {
        "gone@example.org": "refused",
        "grey@example.org": "waiting",
        "ops@example.org": "told",
    }
    box.answers = {}
    due_now()
    tell(loaded)
    assert box.receivers == ["ops@example.org", "grey@example.org"]


@pytest.mark.parametrize("security", ["none", "starttls", "tls"])
def test_a_password_goes_to_a_server_whose_certificate_is_trusted(
    settle: Settle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, security: str
) -> None:
    monkeypatch.setenv("MAIL_PASSWORD", mail.PASSWORD)
    with mail.serving(tmp_path, security=security, auth=security != "none") as box:
        text = settings(box).replace('security = "none"', f'security = "{security}"\nca_file = "{box.ca_file}"')
        if security != "none":
            text = text.replace("[mail]", f'[mail]\nusername = "{mail.USER}"\npassword = "env:MAIL_PASSWORD"')
        loaded = settle(text)
        services.report(LOW)
        tell(loaded)
        assert len(box.letters) == 1
        assert box.secure == [security == "starttls"]  # of TLS from the first byte the server sees nothing


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_nothing_goes_to_a_server_whose_certificate_is_not_trusted(
    settle: Settle, tmp_path: Path, security: str
) -> None:
    with mail.serving(tmp_path, security=security) as box:
        loaded = settle(settings(box).replace('security = "none"', f'security = "{security}"'))
        services.report(LOW)
        tell(loaded)
        assert box.letters == []
        assert "not trusted" in Notice.objects.get().reason


def test_a_server_without_starttls_gets_no_password(
    settle: Settle, box: mail.Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAIL_PASSWORD", mail.PASSWORD)
    text = settings(box).replace(
        'security = "none"', 'security = "starttls"\nusername = "x"\npassword = "env:MAIL_PASSWORD"'
    )
    loaded = settle(text)
    services.report(LOW)
    tell(loaded)

    assert box.letters == []
    assert Notice.objects.get().told_at is None


def test_a_wrong_password_is_told_and_nothing_is_lost(
    settle: Settle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAIL_PASSWORD", "wrong")
    with mail.serving(tmp_path, security="starttls", auth=True) as box:
        text = settings(box).replace('security = "none"', f'security = "starttls"\nca_file = "{box.ca_file}"')
        loaded = settle(text.replace("[mail]", '[mail]\nusername = "station"\npassword = "env:MAIL_PASSWORD"'))
        services.report(LOW)
        tell(loaded)
        assert "535" in Notice.objects.get().reason
        assert "wrong" not in Notice.objects.get().reason

        monkeypatch.setenv("MAIL_PASSWORD", mail.PASSWORD)
        due_now()
        tell(loaded)
        assert len(box.letters) == 1


def test_a_muted_problem_tells_nobody_also_when_it_comes_back(settle: Settle, box: mail.Box) -> None:
    loaded = settle(settings(box))
    services.report(LOW)
    services.mute(problem=queries.get_problem(LOW.key), until=clock.now() + timedelta(hours=1))
    services.clear(LOW.key)
    services.report(LOW)
    tell(loaded)

    assert box.titles() == []
    assert queries.open_count() == 1  # the new one is not muted itself: it shows, and is silent


def test_the_place_in_the_log_and_the_notices_are_kept_together(
    settle: Settle, box: mail.Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = settle(settings(box))
    services.report(LOW)

    class Killed(BaseException):
        """kill -9."""

    def die(*_given: object, **_more: object) -> None:
        raise Killed

    with monkeypatch.context() as broken:
        notifier._begin()
        broken.setattr(log, "tick_off", die)
        with pytest.raises(Killed):
            notifier.read(loaded)
    assert Notice.objects.count() == 0

    tell(loaded)
    log.tick_off(notifier.READER, upto=0)  # as if the place were lost: what was told is not told again
    tell(loaded)
    assert len(box.letters) == 1


def test_old_news_are_not_told_by_a_notifier_that_is_new(settle: Settle, box: mail.Box) -> None:
    from nephos.events.models import Event

    services.report(LOW)
    Event.objects.update(at=clock.now() - timedelta(days=30))
    services.clear(LOW.key)
    tell(settle(settings(box)))

    assert box.titles() == ["[hill] Over: The disk is nearly full"]


def test_when_much_happens_at_once_the_rest_comes_together(settle: Settle, box: mail.Box) -> None:
    import dataclasses

    loaded = settle(settings(box, "alone = 3\ngather_seconds = 60"))
    for number in range(20):
        services.report(dataclasses.replace(LOW, key=f"k{number}", sentence=f"Channel {number} is down."))
    tell(loaded)
    tell(loaded)
    assert box.titles() == [f"[hill] Channel {number} is down" for number in range(3)]

    Notice.objects.filter(told_at=None).update(made_at=clock.now() - timedelta(seconds=61))
    tell(loaded)
    tell(loaded)
    assert box.titles()[3:] == ["[hill] 17 notices: Channel 3 is down ..."]
    text = box.letters[3].get_content()
    assert "17. Channel 19 is down" in text
    assert text.count("What to do:") == 17
    assert text.count("a Nephos station") == 1
    assert {one.state for one in queries.notices()} == {"told"}


def test_the_report_goes_to_its_own_receivers(settle: Settle, box: mail.Box) -> None:
    loaded = settle(settings(box))
    log.emit(kinds.DigestMade(subject="station", day="22 November", summary="fine", body="All.", figures={}))
    tell(loaded)

    assert box.receivers == ["boss@example.org"]


def test_what_is_wrong_with_the_mail_is_not_told_by_mail(settle: Settle, box: mail.Box) -> None:
    import dataclasses

    loaded = settle(settings(box))
    services.report(dataclasses.replace(LOW, kind="notice.failing", subject="channel:mail"))
    tell(loaded)

    assert box.letters == []


class Hook:
    """A web server that answers as it is told and keeps what it gets."""

    def __init__(self) -> None:
        self.status = 200
        self.got: list[tuple[dict[str, str], bytes]] = []
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hook.got.append((dict(self.headers), body))
                self.send_response(hook.status)
                if hook.status == 302:
                    self.send_header("Location", "http://127.0.0.1:1/elsewhere")
                self.end_headers()

            def log_message(self, *_given: Any) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]


@contextmanager
def hooked() -> Iterator[Hook]:
    hook = Hook()
    thread = threading.Thread(target=hook.server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield hook
    finally:
        hook.server.shutdown()
        thread.join()
        hook.server.server_close()


def test_a_webhook_gets_a_signed_document_until_it_takes_it(settle: Settle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK", "key of the hook")
    with hooked() as hook:
        loaded = settle(
            f'[webhook.chat]\nurl = "http://127.0.0.1:{hook.port}/in"\nsecret = "env:HOOK"\nevents = ["problem.opened"]'
        )
        services.report(LOW)
        services.clear(LOW.key)
        for hook.status in (503, 302, 200):
            if hook.status == 302:
                continue
            tell(loaded)
            due_now()
        tell(loaded)

    assert len(hook.got) == 2
    headers, body = hook.got[-1]
    document = json.loads(body)
    assert document["kind"] == "problem.opened"
    assert document["facts"]["what"] == LOW.sentence
    wanted = hmac.new(b"key of the hook", headers["X-Nephos-Timestamp"].encode() + b"." + body, hashlib.sha256)
    assert headers["X-Nephos-Signature"] == f"sha256={wanted.hexdigest()}"
    assert hook.got[0][0]["X-Nephos-Delivery"] == headers["X-Nephos-Delivery"]


def test_a_redirect_of_a_webhook_is_not_followed(settle: Settle) -> None:
    with hooked() as hook:
        hook.status = 302
        loaded = settle(f'[webhook.chat]\nurl = "http://127.0.0.1:{hook.port}/in"')
        services.report(LOW)
        tell(loaded)

    assert [one.state for one in queries.notices()] == ["refused"]


def test_two_that_find_the_same_at_once_open_one_problem() -> None:
    Problem.objects.create(
        state="open", key=LOW.key, kind=LOW.kind, subject=LOW.subject, weight="warning", sentence=LOW.sentence
    )

    assert not services._begin(LOW)
    assert Problem.objects.count() == 1
