"""Jobs from submission to the end, with real guards and real bodies, in the loops of the farm role."""

from __future__ import annotations

from pathlib import Path

import pytest

from nephos.core import bootstrap
from nephos.events import log
from nephos.farm import queries, services, states
from nephos.farm.models import Attempt, Job
from tests.support import farm, waiting

pytestmark = pytest.mark.django_db(transaction=True)


def over(job: Job, *, seconds: float = 30) -> Job:
    def look() -> Job | None:
        job.refresh_from_db()
        return job if job.state in states.JOB_OVER else None

    return waiting.until(look, seconds=seconds, what="the end of the job")


def submit(template: str, **more: object) -> Job:
    return services.submit(name="test", template=template, parameters=more.pop("parameters", {}), **more)  # type: ignore[arg-type]


def test_three_dependent_steps_run_in_order_and_publish_what_they_made() -> None:
    template = farm.template(
        {
            "First": """
                print("openjd_progress: 50")
                print("a line of output", flush=True)
                done(make("one.txt", "1"))
            """,
            "Second": """
                text = pathlib.Path("{{Param.Folder}}", "one.txt").read_text() + "2"
                pathlib.Path("sub").mkdir()
                done(make("sub/two.txt", text), )
                make("unlisted.txt", "not an output")
            """,
            "Third": """
                done(make("three.txt", pathlib.Path("{{Param.Folder}}", "sub", "two.txt").read_text() + "3"))
            """,
        },
        depends={"Second": ["First"], "Third": ["Second"]},
    )
    folder = bootstrap.loaded().home.processed / "chain"

    job = submit(template, publish_to="chain", subject="asset:7", parameters={"Folder": str(folder)})
    with farm.running():
        over(job)

    assert (job.state, job.reason) == ("done", "")
    assert sorted(str(p.relative_to(folder)) for p in folder.rglob("*.txt")) == ["one.txt", "sub/two.txt", "three.txt"]
    assert (folder / "three.txt").read_text() == "123"
    assert [m.path for m in queries.made(job.pk)] == [str(folder / n) for n in ("one.txt", "sub/two.txt", "three.txt")]
    assert "First: a line of output" in queries.job_log(job.pk)
    finished = [e for e in log.read(0) if e.kind == "job.finished"]
    assert [(e.subject, e.data["ok"], e.data["for_subject"]) for e in finished] == [(f"job:{job.pk}", True, "asset:7")]
    attempts = Attempt.objects.filter(task__step__job=job)
    assert attempts.count() == 3
    assert not [one.pk for one in attempts if (bootstrap.loaded().home.attempts / one.pk / "out").exists()]


def test_a_failing_task_is_tried_again_then_given_up_and_its_dependents_with_it() -> None:
    template = farm.template(
        {"Bad": 'print("openjd_fail: the tape is torn", flush=True); raise SystemExit(3)', "After": "", "Other": ""},
        depends={"After": ["Bad"]},
    )

    job = submit(template, max_tries=2)
    with farm.running():
        over(job)

    detail = queries.job(job.pk)
    assert (job.state, job.reason) == ("failed", "Bad: the tape is torn")
    assert {step.name: [task.state for task in step.tasks] for step in detail.steps} == {
        "Bad": ["failed"],
        "After": ["cancelled"],
        "Other": ["done"],
    }
    bad = detail.steps[0].tasks[0] if detail.steps[0].name == "Bad" else detail.steps[1].tasks[0]
    assert [attempt.exit_code for attempt in bad.attempts] == [3, 3]
    assert [e.kind for e in log.read(0)].count("task.failed") == 1


def test_a_missing_program_burns_no_tries_and_the_job_can_be_cancelled_meanwhile() -> None:
    script = {"actions": {"onRun": {"command": "no-such-program", "args": ["-v"]}}}
    template = farm.template({"Lacking": ""}, Lacking={"script": script})

    job = submit(template, max_tries=1)
    with farm.running():
        waiting.until(lambda: Attempt.objects.filter(state="failed").exists(), seconds=15, what="the failed attempt")
        task = job.tasks.get()
        why = queries.why(Job.objects.get(pk=job.pk))
        services.cancel(job=Job.objects.get(pk=job.pk), actor="mia")

    assert (task.state, task.tries, task.setbacks) == ("ready", 0, 1)
    assert task.not_before is not None
    assert "no-such-program" in why
    job.refresh_from_db()
    assert (job.state, job.reason) == ("cancelled", "Cancelled by mia.")


def test_cancel_kills_the_whole_tree_within_seconds(tmp_path: Path) -> None:
    job = submit(farm.template({"Long": farm.STUBBORN}), parameters={"Folder": str(tmp_path)})
    with farm.running():
        pids = waiting.until(lambda: (p := farm.pids(tmp_path)) and len(p) == 2 and p, seconds=15, what="two pids")
        services.cancel(job=Job.objects.get(pk=job.pk))
        waiting.until(lambda: not any(map(farm.alive, pids)), seconds=8, what="the death of the tree")

    assert Attempt.objects.get().state == "cancelled"
    assert not Path(job.publish_to).exists()


def test_a_cancelled_job_can_be_retried(tmp_path: Path) -> None:
    job = submit(farm.template({"Quick": 'done(make("a.txt", "a"))'}))
    services.cancel(job=job)

    services.retry(job=job)
    with farm.running():
        over(job)

    assert job.state == "done"


def test_a_paused_job_begins_nothing_until_it_is_resumed() -> None:
    job = submit(farm.template({"Quick": ""}))
    services.pause(job=job)
    other = submit(farm.template({"Quick": ""}))

    with farm.running():
        over(other)
        paused = Job.objects.get(pk=job.pk).state
        services.resume(job=job)
        over(job)

    assert (paused, job.state) == ("paused", "done")


def test_an_output_that_is_not_what_the_list_says_is_refused() -> None:
    job = submit(farm.template({"Liar": 'done({**make("a.txt", "a"), "bytes": 7})'}), max_tries=1)

    with farm.running():
        over(job)

    assert job.state == "failed"
    assert "7 bytes, but it has 1" in job.reason


def test_when_the_role_stops_its_work_is_given_back_and_done_by_the_next(tmp_path: Path) -> None:
    job = submit(farm.template({"Long": farm.STUBBORN}), parameters={"Folder": str(tmp_path)}, max_tries=1)
    with farm.running():
        waiting.until(lambda: len(farm.pids(tmp_path)) == 2, seconds=15, what="two pids")
    dead = not any(map(farm.alive, farm.pids(tmp_path)))

    (tmp_path / "go").touch()
    with farm.running():
        over(job)

    assert dead
    assert job.state == "done"
    assert [a.state for a in Attempt.objects.all()] == ["failed", "done"]
