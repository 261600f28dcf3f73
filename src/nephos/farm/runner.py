"""The one door to `openjd-sessions`: run one task in a session of its own."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

from nephos.farm import errors, ledger, templates

TEMPORARY_FAILURE = 75  # EX_TEMPFAIL of sysexits.h: the step says that a later try may well succeed
_NOT_FOUND = 127
_NOT_RUNNABLE = 126


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a task ended. `retry`: not the task's fault, the try shall not count."""

    ok: bool
    reason: str = ""
    exit_code: int | None = None
    retry: bool = False


class Listener(Protocol):
    """Who hears what a task says. Called from the threads of the session; must return at once."""

    def line(self, text: str) -> None: ...
    def progress(self, fraction: float, text: str) -> None: ...


class Run:
    """One task from begin to end; `stop` may come from another thread at any time."""

    def __init__(self, assignment: ledger.Assignment, *, folder: Path, listener: Listener) -> None:
        self._assignment = assignment
        self._folder = folder
        self._listener = listener
        self._changed = threading.Event()
        self._stopped = threading.Event()
        self._session: Any = None
        self.working_folder: Path | None = None

    def forbid(self) -> None:
        """Start no further action; who calls this kills the running one."""
        self._stopped.set()

    def stop(self, *, grace: timedelta) -> None:
        """Cancel the running action in the way its template asks for, within the grace, and start no other."""
        self._stopped.set()
        session = self._session
        try:
            if session is not None:
                session.cancel_action(time_limit=grace)
        except RuntimeError:
            return  # nothing was running just then, and nothing will be started

    def execute(self) -> Outcome:
        """Enter the environments, run the task, leave them again."""
        from openjd import sessions

        job = self._assignment
        try:
            task = templates.runnable(job.template, job.parameters, step=job.step, number=job.number)
        except (errors.BadTemplate, errors.BadParameters) as error:
            return Outcome(ok=False, reason=error.message)
        with _heard(self._listener):
            session = sessions.Session(
                session_id=job.attempt,
                job_parameter_values=task.parameters,
                job_name=task.name,
                retain_working_dir=True,
                callback=self._on_change,
                os_env_vars={"PATH": _path()},
                session_root_directory=self._folder,
                revision_extensions=task.revision,
            )
            self._session = session
            self.working_folder = session.working_directory
            try:
                return self._within(session, task)
            finally:
                self._session = None
                session.cleanup()

    def _within(self, session: Any, task: templates.Runnable) -> Outcome:
        variables = {"NEPHOS_ATTEMPT": self._assignment.attempt, "NEPHOS_ATTEMPT_DIR": str(session.working_directory)}
        outcome = self._enter(session, task, variables)
        if outcome.ok and not self._stopped.is_set():
            session.run_task(
                step_script=task.step.script,
                task_parameter_values=task.task,
                os_env_vars=variables,
                log_task_banner=False,
                step_name=task.step.name,
                resolved_symtab=task.step_table,
            )
            outcome = self._await(session, program=str(task.step.script.actions.onRun.command))
        for identifier in reversed(session.environments_entered):
            if self._stopped.is_set():
                break
            session.exit_environment(identifier=identifier, os_env_vars=variables)
            left = self._await(session)
            outcome = left if outcome.ok else outcome
        return Outcome(ok=False, reason="Stopped.", retry=True) if self._stopped.is_set() else outcome

    def _enter(self, session: Any, task: templates.Runnable, variables: dict[str, str]) -> Outcome:
        wanted = [(each, None, task.job_table) for each in task.environments]
        wanted += [(each, task.step.name, task.step_table) for each in task.step.stepEnvironments or ()]
        for environment, step_name, table in wanted:
            if self._stopped.is_set():
                break
            session.enter_environment(
                environment=environment, os_env_vars=variables, step_name=step_name, resolved_symtab=table
            )
            outcome = self._await(session)
            if not outcome.ok:
                return outcome
        return Outcome(ok=True)

    def _await(self, session: Any, *, program: str = "") -> Outcome:
        from openjd.sessions import SessionState

        while session.state in (SessionState.RUNNING, SessionState.CANCELING):
            self._changed.wait(0.2)
            self._changed.clear()
        return _judge(session.action_status, program)

    def _on_change(self, _session: str, status: Any) -> None:
        self._changed.set()
        if status.progress is not None or status.status_message:
            self._listener.progress((status.progress or 0.0) / 100, status.status_message or "")


def _judge(status: Any, program: str) -> Outcome:
    from openjd.sessions import ActionState

    if status is None or status.state == ActionState.SUCCESS:
        return Outcome(ok=True, exit_code=status.exit_code if status else None)
    code, said = status.exit_code, status.fail_message or ""
    if status.state == ActionState.TIMEOUT:
        return Outcome(ok=False, reason=said or "It took longer than its template allows.", exit_code=code)
    if code in (_NOT_FOUND, _NOT_RUNNABLE):
        missing = f"The program {program or 'of an environment'} is not installed here, or cannot be run."
        return Outcome(ok=False, reason=said or missing, exit_code=code, retry=True)
    if code is None:
        return Outcome(ok=False, reason=said or "The step could not be started; its log says why.", exit_code=code)
    return Outcome(
        ok=False,
        reason=said or f"The step ended with exit code {code}; its log says more.",
        exit_code=code,
        retry=code == TEMPORARY_FAILURE,
    )


def _path() -> str:
    """`python` shall be ours, whatever else is installed."""
    return f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"


class _Handler(logging.Handler):
    def __init__(self, heard: Callable[[str], None]) -> None:
        super().__init__(logging.INFO)
        self._heard = heard

    def emit(self, record: logging.LogRecord) -> None:
        from openjd.sessions import LogContent

        content = getattr(record, "openjd_log_content", None) or LogContent(0)
        text = record.getMessage()
        if content & LogContent.COMMAND_OUTPUT:
            if text != "Output:" and not text.startswith(("openjd_progress:", "openjd_status:")):
                self._heard(text)
        elif content & LogContent.EXCEPTION_INFO or record.levelno >= logging.WARNING:
            self._heard(f"openjd: {text}")


@contextmanager
def _heard(listener: Listener) -> Iterator[None]:
    """Listen to the library's logger: output and progress come through it and nothing else."""
    from openjd.sessions import LOG

    # Above INFO the library drops the lines before it looks for progress in them; with propagation every line of
    # every task would also stand in the station's own log.
    LOG.setLevel(logging.INFO)
    LOG.propagate = False
    handler = _Handler(listener.line)
    LOG.addHandler(handler)
    try:
        yield
    finally:
        LOG.removeHandler(handler)
