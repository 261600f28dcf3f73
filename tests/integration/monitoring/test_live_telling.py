"""Each key of [monitoring], [mail] and [webhook], changed in the file of running loops: the effect is seen at once.

The keys come from the schema: one that is added without an effect in this file fails the test.
"""

from __future__ import annotations

import dataclasses
import smtplib
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from nephos.config import load, upkeep
from nephos.events import kinds, log
from nephos.lib import clock
from nephos.monitoring import services
from nephos.monitoring.models import Notice
from tests.fakes import mail
from tests.integration.monitoring.test_telling import LOW, Hook, hooked
from tests.support.running import Running, Time, keys

pytestmark = pytest.mark.django_db

Settle = Callable[[str], load.Loaded]
KEYS = [
    *keys(upkeep.Monitoring, "monitoring"),
    *keys(upkeep.Mail, "mail"),
    *keys(upkeep.Webhook, "webhook.*"),
]


class Stage:
    """A keeper that tells people, the mail server and the hooks it tells."""

    def __init__(self, settle: Settle, tmp_path: Path, patch: pytest.MonkeyPatch, open_: ExitStack) -> None:
        self._settle, self._tmp_path, self._open = settle, tmp_path, open_
        self.patch, self.time = patch, Time(patch)
        self.opened = 0

    def begin(self, *, security: str = "none", auth: bool = False, more: str = "") -> None:
        """Serve mail, and run on settings that are right for it."""
        self.box: mail.Box = self._open.enter_context(mail.serving(self._tmp_path, security=security, auth=auth))
        text = f"""
[mail]
host = "127.0.0.1"
port = {self.box.port}
security = "{security}"
ca_file = "{self.box.ca_file}"
critical = ["ops@example.org"]
alone = 100
{more}
"""
        self.run = Running(self._settle(text), self.time)

    def hook(self) -> Hook:
        return self._open.enter_context(hooked())

    def happen(self, number: int = 1) -> None:
        """So many new problems open."""
        for _ in range(number):
            self.opened += 1
            services.report(dataclasses.replace(LOW, key=f"disk.low:{self.opened}", sentence=f"Trouble {self.opened}."))

    def tell(self) -> None:
        """Every loop of telling has its turn, and what waits for another try is due."""
        Notice.objects.filter(told_at=None, refused_at=None).update(due_at=clock.now() - timedelta(seconds=1))
        for name in ("notifier", "mail", "webhooks"):
            self.run.step(name, later=2)

    def told(self) -> int:
        return len(self.box.letters)


@pytest.fixture
def stage(settle: Settle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    with ExitStack() as opened:
        yield Stage(settle, tmp_path, monkeypatch, opened)


Effect = Callable[[Stage], None]
EFFECTS: dict[str, Effect] = {}


def effect(name: str) -> Callable[[Effect], Effect]:
    """Registers the test of a key."""

    def keep(test: Effect) -> Effect:
        EFFECTS[name] = test
        return test

    return keep


@pytest.mark.parametrize("key", KEYS)
def test_each_key_is_taken_up_by_the_running_loops(stage: Stage, key: str) -> None:
    assert key in EFFECTS, f"{key} is new: write down here what changes when it is changed"

    EFFECTS[key](stage)


def test_there_is_no_effect_of_a_key_that_is_gone() -> None:
    assert set(EFFECTS) == set(KEYS)


def _wrong_then_right(key: str, wrong: Any, right: Callable[[Stage], Any], **begin: Any) -> None:
    """With a wrong value nothing is told; with the right one it is, the same letter."""

    def test(stage: Stage) -> None:
        stage.begin(**begin)
        stage.run.set(key, wrong)
        stage.happen()
        stage.tell()
        assert stage.told() == 0
        stage.run.set(key, right(stage))
        stage.tell()
        assert stage.told() == 1

    EFFECTS[key] = test


_CREDENTIALS = f'username = "{mail.USER}"\npassword = "env:MAIL_PASSWORD"'
_wrong_then_right("mail.host", "127.0.0.2", lambda _: "127.0.0.1")
_wrong_then_right("mail.port", 1, lambda stage: stage.box.port)
_wrong_then_right("mail.security", "starttls", lambda _: "none")
_wrong_then_right("mail.ca_file", "", lambda stage: stage.box.ca_file, security="starttls")


@effect("mail.username")
def _username(stage: Stage) -> None:
    stage.patch.setenv("MAIL_PASSWORD", mail.PASSWORD)
    stage.begin(security="starttls", auth=True, more='password = "env:MAIL_PASSWORD"\nusername = "nobody"')
    _mended(stage, "mail.username", mail.USER)


@effect("mail.password")
def _password(stage: Stage) -> None:
    stage.patch.setenv("MAIL_PASSWORD", mail.PASSWORD)
    stage.patch.setenv("WRONG_PASSWORD", "wrong")
    more = _CREDENTIALS.replace("MAIL_PASSWORD", "WRONG_PASSWORD")
    stage.begin(security="starttls", auth=True, more=more)
    _mended(stage, "mail.password", "env:MAIL_PASSWORD")


def _mended(stage: Stage, key: str, value: Any) -> None:
    stage.happen()
    stage.tell()
    assert stage.told() == 0
    stage.run.set(key, value)
    stage.tell()
    assert stage.told() == 1


@effect("mail.sender")
def _sender(stage: Stage) -> None:
    stage.begin()
    stage.run.set("mail.sender", "hill@example.org")
    stage.happen()
    stage.tell()
    assert stage.box.letters[0]["From"] == "hill@example.org"


@effect("mail.enabled")
def _mail_enabled(stage: Stage) -> None:
    stage.begin()
    stage.happen()
    stage.run.step("notifier")
    stage.run.set("mail.enabled", False)
    stage.tell()
    assert stage.told() == 0
    stage.run.set("mail.enabled", True)
    stage.tell()
    assert stage.told() == 1


@effect("mail.critical")
def _critical(stage: Stage) -> None:
    stage.begin()
    stage.run.set("mail.critical", ["b@example.org", "c@example.org"])
    stage.happen()
    stage.tell()
    assert stage.box.receivers == ["b@example.org", "c@example.org"]


def _digest(stage: Stage) -> None:
    log.emit(kinds.DigestMade(subject="station", day="today", summary="fine", body="All.", figures={}))
    stage.tell()


@effect("mail.report")
def _report(stage: Stage) -> None:
    stage.begin()
    _digest(stage)
    stage.run.set("mail.report", ["boss@example.org"])
    _digest(stage)
    assert stage.box.receivers == ["ops@example.org", "boss@example.org"]


@effect("mail.timeout_seconds")
def _timeout(stage: Stage) -> None:
    waited: list[float] = []

    class Server(smtplib.SMTP):
        def __init__(self, *given: Any, timeout: float, **more: Any) -> None:
            waited.append(timeout)
            super().__init__(*given, timeout=timeout, **more)

    stage.patch.setattr(smtplib, "SMTP", Server)
    stage.begin()
    for seconds in (20, 7):
        stage.run.set("mail.timeout_seconds", seconds)
        stage.happen()
        stage.tell()
    assert waited == [20, 7]


@effect("mail.interval_seconds")
def _mail_interval(stage: Stage) -> None:
    _interval(stage, "mail.interval_seconds", "mail")


@effect("monitoring.interval_seconds")
def _monitoring_interval(stage: Stage) -> None:
    _interval(stage, "monitoring.interval_seconds", "notifier")


def _interval(stage: Stage, key: str, loop: str) -> None:
    stage.begin()
    stage.run.set(key, 1000)
    stage.run.step(loop)
    stage.run.step(loop, later=500)
    stage.run.asked(loop)
    stage.run.step(loop, later=100)
    assert not stage.run.asked(loop)
    stage.run.set(key, 300)
    stage.run.step(loop)
    assert stage.run.asked(loop)


@effect("mail.alone")
def _alone(stage: Stage) -> None:
    stage.begin()
    stage.run.set("mail.alone", 1)
    stage.happen(4)
    stage.tell()
    assert stage.told() == 1
    stage.run.set("mail.alone", 3)
    stage.tell()
    assert stage.told() == 3


@effect("mail.gather_seconds")
def _gather(stage: Stage) -> None:
    stage.begin()
    stage.run.set("mail.alone", 1)
    stage.happen(4)
    stage.tell()
    stage.time.on(100)
    stage.tell()
    assert stage.told() == 1
    # The one that went alone was told 100 s ago: in a shorter window it no longer counts, and the rest was gathered.
    stage.run.set("mail.gather_seconds", 90)
    stage.tell()
    assert [title.partition("] ")[2] for title in stage.box.titles()] == [
        "Trouble 1",
        "Trouble 2",
        "2 notices: Trouble 3 ...",
    ]


# --- monitoring ------------------------------------------------------------------------------------------------------


@effect("monitoring.enabled")
def _enabled(stage: Stage) -> None:
    stage.begin()
    stage.run.set("monitoring.enabled", False)
    stage.happen()
    stage.tell()
    stage.run.set("monitoring.enabled", True)
    stage.happen()
    stage.tell()
    assert stage.box.titles() == ["[nephos] Trouble 2"]  # what happened meanwhile is not told later


@effect("monitoring.critical")
def _kinds(stage: Stage) -> None:
    stage.begin()
    stage.run.set("monitoring.critical", ["asset.failed"])
    stage.happen()
    stage.tell()
    stage.run.set("monitoring.critical", ["problem."])
    stage.happen()
    stage.tell()
    assert stage.box.titles() == ["[nephos] Trouble 2"]


@effect("monitoring.report")
def _report_kinds(stage: Stage) -> None:
    stage.begin(more='report = ["boss@example.org"]')
    stage.run.set("monitoring.report", [])
    _digest(stage)
    assert stage.told() == 0
    stage.run.set("monitoring.report", ["digest.made"])
    _digest(stage)
    assert stage.box.receivers == ["boss@example.org"]


@effect("monitoring.keep_days")
def _keep_days(stage: Stage) -> None:
    stage.begin()
    stage.happen()
    stage.tell()
    Notice.objects.update(made_at=clock.now() - timedelta(days=10))
    stage.run.step("notices")
    assert Notice.objects.count() == 1
    stage.run.set("monitoring.keep_days", 5)
    stage.run.step("notices", later=3600)
    assert Notice.objects.count() == 0


# --- webhooks --------------------------------------------------------------------------------------------------------


def _hook(stage: Stage, **options: Any) -> Hook:
    hook = stage.hook()
    stage.begin()
    stage.run.set("webhook.chat", {"url": f"http://127.0.0.1:{hook.port}/", **options})
    return hook


@effect("webhook.*.url")
def _url(stage: Stage) -> None:
    first, second = _hook(stage), stage.hook()
    stage.happen()
    stage.tell()
    stage.run.set("webhook.chat.url", f"http://127.0.0.1:{second.port}/")
    stage.happen()
    stage.tell()
    assert (len(first.got), len(second.got)) == (1, 1)


@effect("webhook.*.enabled")
def _hook_enabled(stage: Stage) -> None:
    hook = _hook(stage, enabled=False)
    stage.happen()
    stage.tell()
    assert hook.got == []
    stage.run.set("webhook.chat.enabled", True)
    stage.happen()
    stage.tell()
    assert len(hook.got) == 1


@effect("webhook.*.secret")
def _secret(stage: Stage) -> None:
    stage.patch.setenv("HOOK", "key")
    hook = _hook(stage)
    stage.happen()
    stage.tell()
    stage.run.set("webhook.chat.secret", "env:HOOK")
    stage.happen()
    stage.tell()
    assert ["X-Nephos-Signature" in headers for headers, _ in hook.got] == [False, True]


@effect("webhook.*.events")
def _events(stage: Stage) -> None:
    hook = _hook(stage, events=["asset."])
    stage.happen()
    stage.tell()
    assert hook.got == []
    stage.run.set("webhook.chat.events", ["problem.opened"])
    stage.happen()
    stage.tell()
    assert len(hook.got) == 1


@effect("webhook.*.timeout_seconds")
def _hook_timeout(stage: Stage) -> None:
    waited: list[float] = []
    whole = urllib.request.OpenerDirector.open

    def open_(self: Any, *given: Any, timeout: float, **more: Any) -> Any:
        waited.append(timeout)
        return whole(self, *given, timeout=timeout, **more)

    stage.patch.setattr(urllib.request.OpenerDirector, "open", open_)
    _hook(stage)
    for seconds in (10, 7):
        stage.run.set("webhook.chat.timeout_seconds", seconds)
        stage.happen()
        stage.tell()
    assert waited == [10, 7]
