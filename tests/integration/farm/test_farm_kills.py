"""The farm role as a real process, killed and stopped at the worst moments."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from nephos.core import bootstrap
from nephos.events import log
from nephos.farm import services, states, trees
from nephos.farm.models import Attempt, Job
from tests.support import farm, waiting

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks at processes by /proc"),
]


class Role:
    """Starts and kills farm roles on the tests' database."""

    def __init__(self) -> None:
        self._started: list[subprocess.Popen[bytes]] = []

    def start(self) -> subprocess.Popen[bytes]:
        url = _url(connection.settings_dict) if connection.vendor == "postgresql" else ""
        environment = {
            **os.environ,
            "NEPHOS_HOME": str(bootstrap.loaded().home.root),
            "NEPHOS_FARM_LEASE_SECONDS": "3",
            "NEPHOS_FARM_SLOTS": "1",
            **({"NEPHOS_DATABASE_URL": url} if url else {}),
        }
        process = subprocess.Popen([sys.executable, "-m", "tests.support.farm_role"], env=environment)
        self._started.append(process)
        return process

    def end(self) -> None:
        for process in self._started:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
            process.wait()
        mark = f"{os.path.realpath(bootstrap.loaded().home.root)}:0"
        trees.kill_all(lambda: trees.marked("NEPHOS_SLOT", mark))  # whatever a failed test left


@pytest.fixture
def role() -> Iterator[Role]:
    made = Role()
    yield made
    made.end()


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return services.submit(
        name="long",
        template=farm.template({"Long": farm.STUBBORN}),
        parameters={"Folder": str(tmp_path)},
        publish_to=f"kills/{tmp_path.name}",
        max_tries=1,
    )


def begun(folder: Path, *, pids: int = 2) -> list[int]:
    return waiting.until(
        lambda: (found := farm.pids(folder)) and len(found) == pids and found, seconds=20, what=f"{pids} pids"
    )


def dead(pids: list[int], *, seconds: float) -> None:
    waiting.until(lambda: not any(map(farm.alive, pids)), seconds=seconds, what="the death of the tree")


def finished(job: Job) -> None:
    def look() -> bool:
        job.refresh_from_db()
        return job.state in states.JOB_OVER

    waiting.until(look, seconds=25, what="the end of the job")


def committed_once(job: Job, *, starts: int, folder: Path) -> None:
    assert job.state == "done"
    assert Attempt.objects.filter(state="done").count() == 1
    assert len((folder / "starts").read_text().split()) == starts
    published = bootstrap.loaded().home.processed / job.publish_to
    assert [p.name for p in published.iterdir()] == ["made.txt"]
    assert [e.kind for e in log.read(0)].count("job.finished") == 1


def test_a_killed_role_leaves_nothing_running_and_the_next_one_does_its_work(
    role: Role, job: Job, tmp_path: Path
) -> None:
    first = role.start()
    pids = begun(tmp_path)

    first.kill()
    dead(pids, seconds=5)
    (tmp_path / "go").touch()
    role.start()

    finished(job)
    committed_once(job, starts=2, folder=tmp_path)
    assert [a.state for a in Attempt.objects.all()] == ["lost", "done"]


def test_a_killed_guard_leaves_nothing_running_and_its_work_is_done_again(role: Role, job: Job, tmp_path: Path) -> None:
    process = role.start()
    pids = begun(tmp_path)
    guards = [pid for pid in trees.descendants(process.pid) if b"nephos.farm.guard" in _command(pid)]

    assert len(guards) == 1
    os.kill(guards[0], signal.SIGKILL)

    dead(pids, seconds=5)
    (tmp_path / "go").touch()
    finished(job)
    committed_once(job, starts=2, folder=tmp_path)


def test_a_role_that_stands_still_past_the_lease_commits_nothing(role: Role, job: Job, tmp_path: Path) -> None:
    process = role.start()
    pids = begun(tmp_path)

    process.send_signal(signal.SIGSTOP)
    dead(pids, seconds=6)  # by the guard, at the end of the lease of 3 s
    (tmp_path / "go").touch()
    process.send_signal(signal.SIGCONT)

    finished(job)
    committed_once(job, starts=2, folder=tmp_path)


def test_role_and_guard_killed_together_are_swept_up_by_the_next_role(role: Role, job: Job, tmp_path: Path) -> None:
    first = role.start()
    pids = begun(tmp_path)
    guards = [pid for pid in trees.descendants(first.pid) if b"nephos.farm.guard" in _command(pid)]

    for pid in [*guards, first.pid]:  # the guard first, so that nobody is left to clean up
        os.kill(pid, signal.SIGKILL)
    role.start()

    dead(pids, seconds=10)
    (tmp_path / "go").touch()
    finished(job)
    committed_once(job, starts=2, folder=tmp_path)


def _url(database: dict[str, Any]) -> str:
    user = f"{database['USER']}:{database['PASSWORD']}" if database["PASSWORD"] else database["USER"]
    if database["HOST"].startswith("/"):
        return f"postgresql://{user}@/{database['NAME']}?host={database['HOST']}"
    return f"postgresql://{user}@{database['HOST']}:{database['PORT'] or 5432}/{database['NAME']}"


def _command(pid: int) -> bytes:
    return (Path("/proc") / str(pid) / "cmdline").read_bytes()
