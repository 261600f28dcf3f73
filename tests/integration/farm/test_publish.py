"""From the commit to the place where others find the files, with a crash at every point between."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from nephos.core import bootstrap
from nephos.events import log
from nephos.farm import dispatcher, harvest, publish, queries, services
from nephos.farm.ledger import Output
from nephos.farm.local_ledger import LocalLedger
from nephos.farm.models import Attempt, Job, Task
from nephos.lib import files
from tests.support import farm

pytestmark = pytest.mark.django_db(transaction=True)

MADE = {"a.txt": "first", "sub/b.txt": "second", "c.tar.gz": "third"}


@pytest.fixture
def committed(tmp_path: Path) -> Attempt:
    """An attempt at the moment after its commit."""
    job = services.submit(
        name="j", template=farm.template({"Only": ""}), parameters={}, publish_to=f"publish/{tmp_path.name}"
    )
    attempt = dispatcher._new_attempt(Task.objects.get(job=job).pk, "w")
    assert attempt is not None
    book = LocalLedger()
    assert book.claim(attempt, worker="w")
    out = bootstrap.loaded().home.attempts / attempt / harvest.FOLDER
    outputs = []
    for name, text in MADE.items():
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_text(text)
        outputs.append(Output("text", name, len(text), files.sha256(out / name)))
    assert book.commit(attempt, outputs)
    return fetch(attempt)


def fetch(attempt: str) -> Attempt:
    return next(row for row in publish.waiting() if row.pk == attempt)


def place(attempt: Attempt) -> Path:
    return Path(attempt.task.job.publish_to)


def everything(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): p.read_text() for p in folder.rglob("*") if p.is_file()}


def test_outputs_are_published_and_only_then_the_task_is_done(committed: Attempt) -> None:
    before = committed.task.state

    dispatcher.Publish().step()

    assert before == "running"
    assert everything(place(committed)) == MADE
    assert Task.objects.get().state == "done"
    assert Job.objects.get().state == "done"
    assert [e.data["ok"] for e in log.read(0) if e.kind == "job.finished"] == [True]
    assert not (bootstrap.loaded().home.attempts / committed.pk).exists()
    assert publish.waiting() == []


@pytest.mark.parametrize("done", [0, 1, 2, 3])
def test_a_crash_between_commit_and_publication_is_made_good(committed: Attempt, done: int) -> None:
    out = bootstrap.loaded().home.attempts / committed.pk / harvest.FOLDER
    for name in list(MADE)[:done]:
        (place(committed) / name).parent.mkdir(parents=True, exist_ok=True)
        os.link(out / name, place(committed) / name)

    dispatcher.Publish().step()

    assert everything(place(committed)) == MADE
    assert Task.objects.get().state == "done"


def test_a_crash_after_the_folder_was_removed_is_made_good(committed: Attempt) -> None:
    out = bootstrap.loaded().home.attempts / committed.pk / harvest.FOLDER
    place(committed).parent.mkdir(parents=True, exist_ok=True)
    out.rename(place(committed))

    dispatcher.Publish().step()

    assert everything(place(committed)) == MADE
    assert Task.objects.get().state == "done"


def test_a_foreign_file_is_never_overwritten(committed: Attempt) -> None:
    place(committed).mkdir(parents=True)
    (place(committed) / "a.txt").write_text("a person's")
    (place(committed) / "c.tar.gz").symlink_to("nowhere")

    dispatcher.Publish().step()

    assert (place(committed) / "a.txt").read_text() == "a person's"
    assert (place(committed) / "c.tar.gz").is_symlink()
    assert [(m.kind, Path(m.path).name, Path(m.path).read_text()) for m in queries.made(committed.task.job_id)] == [
        ("text", "a-2.txt", "first"),
        ("text", "b.txt", "second"),
        ("text", "c-2.tar.gz", "third"),
    ]


def test_a_folder_on_another_volume_gets_copies(committed: Attempt, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)

    dispatcher.Publish().step()

    assert everything(place(committed)) == MADE


def test_outputs_that_vanished_before_publication_are_made_again(committed: Attempt) -> None:
    (bootstrap.loaded().home.attempts / committed.pk / harvest.FOLDER / "a.txt").unlink()

    dispatcher.Publish().step()

    task = Task.objects.get()
    assert (task.state, Job.objects.get().state) == ("ready", "running")
    assert "file is gone" in task.reason


def test_a_full_disk_is_told_and_tried_again(committed: Attempt, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "link", refuse)
        with pytest.raises(OSError, match="No space left"):
            dispatcher.Publish().step()
    told = Task.objects.get().status_text
    dispatcher.Publish().step()

    assert "No space left" in told
    assert everything(place(committed)) == MADE


def test_what_was_cancelled_between_commit_and_publication_is_not_published(committed: Attempt) -> None:
    services.cancel(job=committed.task.job)

    dispatcher.Publish().step()

    assert not place(committed).exists()
    assert Task.objects.get().state == "cancelled"
