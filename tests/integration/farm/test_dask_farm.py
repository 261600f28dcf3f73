"""The farm over Dask: a scheduler, two worker processes on loopback, the ledger over HTTP, a worker killed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from nephos.farm import local_ledger, services, states
from nephos.farm.engines import dask
from nephos.farm.models import Attempt, Job, Worker
from tests.fakes import ledger as fakes
from tests.support import farm, waiting

pytestmark = pytest.mark.django_db(transaction=True)


def answer(verb: str, body: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return local_ledger.answer(verb, body)
    finally:
        connections.close_all()


def test_the_work_of_a_killed_worker_is_done_by_another_and_published_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_ledger, "_lease", lambda: timedelta(seconds=3))
    engine = dask.Dask(host="127.0.0.1", port=0)
    first = services.submit(
        name="long", template=farm.template({"Long": farm.STUBBORN}), parameters={"Folder": str(tmp_path)}
    )
    environment = {**os.environ, "NEPHOS_TOKEN": fakes.TOKEN}
    workers: dict[str, subprocess.Popen[bytes]] = {}

    with fakes.served(answer) as url, farm.running(engine=engine):
        waiting.until(lambda: engine._client is not None, seconds=20, what="the scheduler")
        for name in ("one", "two"):
            argv = [sys.executable, "-m", "nephos.farm.member", url, engine.address, name, "1"]
            workers[name] = subprocess.Popen(argv, env=environment)
        pids = waiting.until(lambda: (p := farm.pids(tmp_path)) and len(p) == 2 and p, seconds=30, what="two pids")
        killed = Attempt.objects.get().worker

        workers[killed].kill()
        waiting.until(lambda: not any(map(farm.alive, pids)), seconds=5, what="the death of the tree")
        (tmp_path / "go").touch()
        waiting.until(lambda: Job.objects.get(pk=first.pk).state in states.JOB_OVER, seconds=30, what="the end")
        for process in workers.values():
            process.terminate()
        for process in workers.values():
            process.wait(timeout=20)

    attempts = list(Attempt.objects.all())
    assert Job.objects.get().state == "done"
    assert [attempt.state for attempt in attempts] == ["lost", "done"]
    assert attempts[0].worker == killed != attempts[1].worker
    assert {(row.name, row.slots, row.engine) for row in Worker.objects.all()} == {
        ("one", 1, "dask"),
        ("two", 1, "dask"),
    }
    assert [p.read_text() for p in Path(first.publish_to).iterdir()] == ["by one"]
