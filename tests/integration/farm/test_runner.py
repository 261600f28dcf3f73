"""One task in a session: what `openjd-sessions` is relied on for."""

from __future__ import annotations

import logging
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from nephos.farm import ledger, runner
from tests.support import farm, waiting


class Listener:
    def __init__(self) -> None:
        self.lines: list[str] = []
        self.steps: list[tuple[float, str]] = []

    def line(self, text: str) -> None:
        self.lines.append(text)

    def progress(self, fraction: float, text: str) -> None:
        self.steps.append((fraction, text))


def make(template: str, folder: Path, **parameters: Any) -> tuple[runner.Run, Listener]:
    heard = Listener()
    assignment = ledger.Assignment("attempt1", "job", "job", "Step", 0, template, parameters, str(folder), 30)
    return runner.Run(assignment, folder=folder, listener=heard), heard


def test_progress_status_and_output_arrive_though_the_stations_log_is_quiet(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    logging.getLogger("openjd.sessions").setLevel(logging.ERROR)  # as a station with level error would have it
    code = """
        print("openjd_progress: 25"); print("openjd_status: half way"); print("openjd_progress: 250")
        print("plain", flush=True)
    """
    run, heard = make(farm.template({"Step": code}), tmp_path)

    outcome = run.execute()

    assert outcome == runner.Outcome(ok=True, exit_code=0)
    assert heard.steps[:2] == [(0.25, ""), (0.25, "half way")]
    assert max(fraction for fraction, _ in heard.steps) == 0.25
    assert heard.lines == ["plain"]
    assert caplog.records == []


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("raise SystemExit(3)", ("The step ended with exit code 3; its log says more.", 3, False)),
        ('print("openjd_fail: torn", flush=True); raise SystemExit(1)', ("torn", 1, False)),
        ('print("openjd_fail: full", flush=True); raise SystemExit(75)', ("full", 75, True)),
        ("import os; os.kill(os.getpid(), 9)", ("The step ended with exit code -9; its log says more.", -9, False)),
    ],
)
def test_failures_keep_their_words_and_their_code(tmp_path: Path, code: str, expected: tuple[str, int, bool]) -> None:
    run, _ = make(farm.template({"Step": code}), tmp_path)

    outcome = run.execute()

    assert (outcome.ok, outcome.reason, outcome.exit_code, outcome.retry) == (False, *expected)


def test_a_program_that_is_missing_is_named_and_worth_a_later_try(tmp_path: Path) -> None:
    script = {"actions": {"onRun": {"command": "no-such-program"}}}
    run, _ = make(farm.template({"Step": ""}, Step={"script": script}), tmp_path)

    outcome = run.execute()

    assert outcome.retry
    assert "no-such-program" in outcome.reason


def test_a_step_works_in_a_folder_of_its_own_with_our_python_and_no_shell(tmp_path: Path) -> None:
    code = """
        import os, sys
        print(os.environ["NEPHOS_ATTEMPT"], os.environ["NEPHOS_ATTEMPT_DIR"] == os.getcwd(), sys.executable)
        print('{{Param.Folder}}', flush=True)
    """
    run, heard = make(farm.template({"Step": code}), tmp_path, Folder="$(touch owned) `touch owned` a b ; *")

    assert run.execute().ok

    import sys

    assert heard.lines == [f"attempt1 True {sys.executable}", "$(touch owned) `touch owned` a b ; *"]
    assert not list(tmp_path.rglob("owned"))
    assert run.working_folder is not None
    assert run.working_folder.parent == tmp_path


def test_environments_are_entered_and_left_around_the_task(tmp_path: Path) -> None:
    document = yaml.safe_load(farm.template({"Step": 'import os; print("task", os.environ["LICENCE"], flush=True)'}))
    script = {
        "actions": {"onEnter": {"command": "echo", "args": ["in"]}, "onExit": {"command": "echo", "args": ["out"]}}
    }
    document["jobEnvironments"] = [{"name": "Licence", "variables": {"LICENCE": "yes"}, "script": script}]
    run, heard = make(yaml.safe_dump(document), tmp_path)

    assert run.execute().ok
    assert heard.lines == ["in", "task yes", "out"]


def test_a_time_limit_of_the_template_is_kept(tmp_path: Path) -> None:
    script = {"actions": {"onRun": {"command": "sleep", "args": ["60"], "timeout": 1}}}
    run, _ = make(farm.template({"Step": ""}, Step={"script": script}), tmp_path)

    assert run.execute().reason == "It took longer than its template allows."


def test_a_stopped_run_ends_soon_and_starts_nothing_more(tmp_path: Path) -> None:
    run, _ = make(farm.template({"Step": "import time; time.sleep(60)"}), tmp_path)
    outcomes: list[runner.Outcome] = []
    thread = threading.Thread(target=lambda: outcomes.append(run.execute()))
    thread.start()
    waiting.until(lambda: run.working_folder, seconds=10, what="the session")

    run.stop(grace=timedelta(seconds=1))
    thread.join(timeout=10)

    assert [(outcome.ok, outcome.retry) for outcome in outcomes] == [(False, True)]


def test_a_template_that_no_longer_fits_fails_in_words(tmp_path: Path) -> None:
    run, _ = make(farm.template({"Other": ""}), tmp_path)

    assert run.execute() == runner.Outcome(ok=False, reason="The template has no step 'Step'.")
