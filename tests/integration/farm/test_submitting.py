"""Submitting: what is refused, what is only done once, and very large jobs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from nephos.core import bootstrap
from nephos.events import log
from nephos.farm import advance, errors, queries, services
from nephos.farm.models import Job, Task
from nephos.lib.errors import Invalid
from tests.support import farm

pytestmark = pytest.mark.django_db

TEMPLATE = farm.template({"One": "", "Two": ""}, depends={"Two": ["One"]})


def submit(**more: Any) -> Job:
    return services.submit(**{"name": "j", "template": TEMPLATE, "parameters": {}, **more})


def test_the_same_key_gives_the_same_job() -> None:
    first, second, other = submit(key="asset:1:archive:1"), submit(key="asset:1:archive:1"), submit(key="else")

    assert first.pk == second.pk != other.pk
    assert [e.kind for e in log.read(0)] == ["job.submitted"] * 2


@pytest.mark.parametrize(
    "more",
    [
        {"template": "nonsense"},
        {"parameters": {"Wrong": 1}},
        {"parameters": {"Folder": "a\0b"}},
        {"priority": 101},
        {"key": ""},
        {"key": "x" * 201},
        {"key": "a\0b"},
        {"publish_to": "/etc"},
        {"publish_to": "../recordings"},
        {"publish_to": "."},
        {"publish_to": "a\0b"},
    ],
)
def test_what_cannot_be_run_is_refused_and_nothing_is_stored(more: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        submit(**more)

    assert not Job.objects.exists()
    assert log.read(0) == []


def test_a_name_is_one_line() -> None:
    assert submit(name="a\nb\0c\x85" + "d" * 300).name == "a b c " + "d" * 194


def test_steps_wait_for_what_they_need() -> None:
    detail = queries.job(submit(publish_to="x/y", subject="asset:3").pk[:12])

    assert [(step.name, step.depends, step.tasks[0].state) for step in detail.steps] == [
        ("One", (), "ready"),
        ("Two", ("One",), "waiting"),
    ]
    assert detail.publish_to == str(bootstrap.loaded().home.processed / "x/y")
    assert detail.job.state == "queued"
    assert detail.why == "No worker is online; the farm role may not be running."


def test_a_hundred_thousand_tasks_are_laid_out_portion_by_portion() -> None:
    document = yaml.safe_load(farm.template({"Frames": ""}))
    document["steps"][0]["parameterSpace"] = {
        "taskParameterDefinitions": [{"name": "Frame", "type": "INT", "range": "1-100000"}]
    }

    job = submit(template=yaml.safe_dump(document))
    before = Task.objects.count()
    Task.objects.filter(number__lt=150).update(state="done")
    advance.look(job)

    assert (before, Task.objects.count()) == (200, 400)
    assert Task.objects.get(number=399).parameters == {"Frame": "400"}
    assert queries.jobs()[0].tasks_total == 100_000


def test_unknown_jobs_and_workers_are_not_found() -> None:
    submit()

    for ref in ("", "nope", "0", "%"):
        with pytest.raises(errors.JobMissing):
            queries.job(ref)
    with pytest.raises(errors.WorkerMissing):
        queries.get_worker("nobody")
    assert not Path(bootstrap.loaded().home.logs / "attempts" / "nope.log").exists()
