"""What follows what, read from the log and safe to repeat."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from nephos import flow
from nephos.config import edit, load
from nephos.config.live import Live
from nephos.events import kinds, log
from nephos.farm.models import Job
from nephos.library import queries, services
from nephos.library.models import Asset
from nephos.library.states import Place
from nephos.sync import orders

pytestmark = pytest.mark.django_db


@pytest.fixture
def journey(home: load.Loaded) -> flow.FlowLoop:
    """The loop on a home with one watch for sets and one for a folder with a pipeline."""
    edit.set_table(home.home, "connection", "shelf", {"kind": "file"})
    edit.set_table(home.home, "destination", "shelf", {"connection": "shelf", "base": str(home.home.root / "shelf")})
    edit.set_table(home.home, "watch", "recordings", {"sets": True, "destinations": ["shelf"]})
    folder = {"folder": str(home.home.root / "inbox"), "destinations": ["shelf"], "pipeline": "archive"}
    edit.set_table(home.home, "watch", "inbox", folder)
    return flow.FlowLoop(Live(load.load(home.home.root, environment={})))


def run(journey: flow.FlowLoop) -> None:
    """Until there is nothing more to do."""
    while journey.step():
        pass


def file_set(tmp_path: Path, *, key: str = "k", pipeline: str = "") -> Asset:
    """An asset that has just arrived."""
    film = tmp_path / "film.mp4"
    film.write_bytes(b"not really a film")
    row = services.begin_fileset(key=key, title="Film", watch="inbox", stem="film", pipeline=pipeline)
    services.add_file(asset=row, kind="source", place=Place.ELSEWHERE, path=str(film), size_bytes=17, sha256="0" * 64)
    services.arrive(asset=row)
    return row


def ordered(home: load.Loaded) -> list[dict[str, Any]]:
    """Bodies of the orders that sync will find."""
    with sqlite3.connect(home.home.sync_database) as db:
        return [json.loads(body) for (body,) in db.execute("SELECT body FROM orders ORDER BY id")]


def state(row: Asset) -> str:
    return queries.asset(row.pk).state


def test_an_asset_without_a_pipeline_goes_straight_to_its_watch(
    journey: flow.FlowLoop, home: load.Loaded, tmp_path: Path
) -> None:
    row = file_set(tmp_path)

    run(journey)

    assert state(row) == "delivering"
    (order,) = ordered(home)
    assert (order["set"], order["watch"]) == (f"asset:{row.pk}", "inbox")
    assert order["files"] == [{"path": str(tmp_path / "film.mp4"), "name": "inbox/film/film.mp4"}]


def test_every_event_may_be_read_twice(journey: flow.FlowLoop, home: load.Loaded, tmp_path: Path) -> None:
    row = file_set(tmp_path)
    run(journey)

    log.tick_off(flow.READER, upto=0)
    run(journey)

    assert state(row) == "delivering"
    assert len(ordered(home)) == 1


def test_an_asset_with_a_pipeline_becomes_one_job(journey: flow.FlowLoop, tmp_path: Path) -> None:
    row = file_set(tmp_path, pipeline="archive")

    run(journey)
    log.tick_off(flow.READER, upto=0)
    run(journey)

    assert state(row) == "processing"
    assert Job.objects.count() == 1


def test_an_unknown_pipeline_fails_the_asset_with_a_reason(journey: flow.FlowLoop, tmp_path: Path) -> None:
    row = file_set(tmp_path, pipeline="no-such")

    run(journey)

    assert state(row) == "failed"
    assert "no-such" in queries.asset(row.pk).reason


def test_a_failed_job_fails_the_asset_and_keeps_its_source(journey: flow.FlowLoop, tmp_path: Path) -> None:
    row = file_set(tmp_path, pipeline="archive")
    run(journey)
    job = Job.objects.get()
    finished = kinds.JobFinished(
        subject=f"job:{job.pk}",
        job="x",
        state="failed",
        ok=False,
        key="k",
        for_subject=f"asset:{row.pk}",
        reason="No video.",
    )

    log.emit(finished)
    run(journey)

    assert (state(row), queries.asset(row.pk).reason) == ("failed", "No video.")
    assert (tmp_path / "film.mp4").exists()


def test_an_asset_is_delivered_when_all_its_watches_have_receipts(journey: flow.FlowLoop, tmp_path: Path) -> None:
    row = file_set(tmp_path)
    run(journey)

    log.emit(kinds.SetDelivered(subject=f"asset:{row.pk}", set=f"asset:{row.pk}", watch="inbox", receipts=[]))
    run(journey)

    assert state(row) == "delivered"


def test_a_refused_set_waits_processed_with_the_reason(journey: flow.FlowLoop, tmp_path: Path) -> None:
    row = file_set(tmp_path)
    run(journey)

    refused = kinds.SetRefused(subject=f"asset:{row.pk}", set=f"asset:{row.pk}", watch="inbox", reason="It is gone.")
    log.emit(refused)
    run(journey)

    assert (state(row), queries.asset(row.pk).reason) == ("processed", "It is gone.")


def test_files_that_settled_become_one_asset(journey: flow.FlowLoop, tmp_path: Path) -> None:
    film = tmp_path / "a film.mp4"
    film.write_bytes(b"x")
    settled = kinds.FilesetSettled(subject="watch:inbox", watch="inbox", stem="a film", files=[str(film)])

    for _ in range(2):
        log.emit(settled, uid="outbox:1")
    run(journey)
    log.tick_off(flow.READER, upto=0)
    run(journey)

    (view,) = queries.assets()
    assert (view.door, view.title, view.state) == ("file_set", "a film", "processing")
    assert len(queries.asset(view.id).files) == 1


def test_an_event_that_cannot_be_followed_stops_no_other(
    journey: flow.FlowLoop, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    gone = kinds.FilesetSettled(subject="watch:inbox", watch="inbox", stem="gone", files=[str(tmp_path / "gone.mp4")])
    log.emit(gone, uid="outbox:2")
    row = file_set(tmp_path)

    for _ in range(4):
        with pytest.raises(FileNotFoundError):
            journey.step()
    run(journey)

    assert state(row) == "delivering"
    assert [entry.level for entry in log.read(kind="flow.skipped")] == ["error"]
    assert "An event is skipped" in caplog.text


def test_orders_have_unique_keys(home: load.Loaded) -> None:
    for _ in range(2):
        orders.put(home.home, key="asset:1:0:inbox", kind=orders.Kind.SET, body={"set": "asset:1"})

    assert len(ordered(home)) == 1
