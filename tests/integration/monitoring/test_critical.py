"""A critical record of any role reaches people once, however often it is written."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from nephos.config import load
from nephos.core import critical as spool
from nephos.daemon import roles
from nephos.lib import clock
from nephos.monitoring import critical, notifier, postman, queries
from nephos.monitoring.models import Problem
from tests.fakes import mail

pytestmark = pytest.mark.django_db

Settle = Callable[[str], load.Loaded]

# What `nephos run ROLE` does, with a role that breaks down, then cries twice more with other facts.
BREAK = """
import logging, sys
from pathlib import Path
from nephos.config import load
from nephos.daemon import roles

class Broken(Exception):
    pass

def work(role, loaded, stop):
    log = logging.getLogger("nephos.test")
    log.critical("The sky falls on %s", "Monday")
    log.critical("The sky falls on %s", "Tuesday")
    raise Broken("for good")

roles._work = work
try:
    roles.run(sys.argv[1], load.load(Path(sys.argv[2])))
except Broken:
    sys.exit(3)
"""


def settings(box: mail.Box) -> str:
    return f"""
[station]
name = "hill"
[mail]
host = "127.0.0.1"
port = {box.port}
security = "none"
critical = ["ops@example.org"]
"""


@pytest.mark.parametrize("role", list(roles.ROLES))
def test_a_role_that_breaks_down_mails_once(settle: Settle, box: mail.Box, role: str) -> None:
    loaded = settle(settings(box))
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", BREAK, role, str(loaded.home.root)], check=False, capture_output=True, timeout=60
        )
        assert done.returncode == 3, done.stderr.decode()
        critical.collect(loaded)
    notifier.read(loaded)
    postman.Postman(postman.MAIL).round(loaded)

    assert sorted(box.titles()) == [
        f"[hill] The role {role} calls for help: The role has broken down",
        f"[hill] The role {role} calls for help: The sky falls on Monday",
    ]
    assert "Broken: for good" in box.about("broken down")[0].get_content()
    assert {view.count for view in queries.problems()} == {2}
    assert list(spool.folder(loaded.home.run).iterdir()) == []


def test_the_supervisor_is_heard_too(settle: Settle, box: mail.Box) -> None:
    loaded = settle(settings(box))
    code = (
        "import logging, sys; from pathlib import Path; from nephos.config import load; from nephos.core import logs\n"
        "logs.setup(load.load(Path(sys.argv[1])), role='supervisor')\n"
        "logging.getLogger('nephos.daemon').critical('Nothing works')"
    )
    subprocess.run([sys.executable, "-c", code, str(loaded.home.root)], check=True, capture_output=True, timeout=60)
    critical.collect(loaded)

    assert queries.problems()[0].subject == "role:supervisor"


def test_a_flood_of_the_same_is_a_few_files(tmp_path: Path) -> None:
    handler = spool.Spool(tmp_path, "web")
    for number in range(1000):
        handler.handle(logging.makeLogRecord({"levelno": 50, "name": "n", "msg": "The same %s", "args": (number,)}))

    assert len(list(spool.folder(tmp_path).iterdir())) == 1


def test_a_flood_of_others_ends_before_the_disk_is_full(tmp_path: Path) -> None:
    handler = spool.Spool(tmp_path, "web")
    for number in range(400):
        handler.handle(logging.makeLogRecord({"levelno": 50, "name": "n", "msg": f"Another {number} " + "x" * 9999}))

    found = list(spool.folder(tmp_path).iterdir())
    assert len(found) == 200
    assert all(path.stat().st_size < 10_000 for path in found)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", json.dumps({"role": 7}).encode()])
def test_foreign_files_in_the_spool_stop_nothing(settle: Settle, box: mail.Box, content: bytes) -> None:
    loaded = settle(settings(box))
    folder = spool.folder(loaded.home.run)
    folder.mkdir()
    (folder / "x.json").write_bytes(content)

    critical.collect(loaded)

    assert list(folder.iterdir()) == []


def test_a_cry_is_over_when_it_was_quiet_for_long(settle: Settle, box: mail.Box) -> None:
    loaded = settle(settings(box))
    spool.Spool(loaded.home.run, "web").handle(logging.makeLogRecord({"levelno": 50, "name": "n", "msg": "Help"}))
    critical.collect(loaded)
    critical.end(loaded)
    assert len(queries.problems()) == 1
    Problem.objects.update(seen_at=clock.now() - timedelta(hours=25))
    critical.end(loaded)
    notifier.read(loaded)
    postman.Postman(postman.MAIL).round(loaded)

    assert queries.problems() == []
    assert len(box.titles()) == 1
