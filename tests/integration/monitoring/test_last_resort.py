"""When the keeper does not live, the supervisor tells people itself, without a database."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta

import pytest

from nephos.config import load
from nephos.core import critical
from nephos.monitoring import errors, last_resort
from tests.fakes import mail

Settle = Callable[[str], load.Loaded]


def settings(port: int) -> str:
    return f"""
[station]
name = "hill"
[mail]
host = "127.0.0.1"
port = {port}
security = "none"
critical = ["ops@example.org", "b@example.org"]
"""


def cry(loaded: load.Loaded, role: str, words: str) -> None:
    record = logging.makeLogRecord({"levelno": 50, "name": "n", "msg": words})
    critical.Spool(loaded.home.run, role).handle(record)


def test_cries_that_nobody_reads_are_mailed_together_once(settle: Settle, box: mail.Box) -> None:
    loaded = settle(settings(box.port))
    cry(loaded, "keeper", "The database is broken\r\nBcc: x@y")
    cry(loaded, "web", "Help")

    assert last_resort.tell(loaded) == 0  # the keeper has its time
    assert last_resort.tell(loaded, too_long=timedelta(0)) == 2
    assert last_resort.tell(loaded, too_long=timedelta(0)) == 0

    assert box.titles() == ["[hill] The keeper does not live"] * 2
    assert box.receivers == ["ops@example.org", "b@example.org"]
    text = box.letters[0].get_content()
    assert "keeper: The database is broken Bcc: x@y" in text
    assert "web: Help" in text


def test_they_wait_while_the_mail_server_is_down(settle: Settle) -> None:
    loaded = settle(settings(1))
    cry(loaded, "keeper", "Help")

    with pytest.raises(errors.NotTold):
        last_resort.tell(loaded, too_long=timedelta(0))
    assert len(list(critical.folder(loaded.home.run).glob("*.json"))) == 1


def test_without_a_mail_server_they_wait_for_the_keeper(settle: Settle) -> None:
    loaded = settle("")
    cry(loaded, "keeper", "Help")

    assert last_resort.tell(loaded, too_long=timedelta(0)) == 0
    assert len(list(critical.folder(loaded.home.run).glob("*.json"))) == 1


def test_it_needs_no_django() -> None:
    code = "import sys; import nephos.monitoring.last_resort; sys.exit('django' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
