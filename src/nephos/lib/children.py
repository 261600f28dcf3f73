"""Run another program: stream its lines, stop it politely, then not."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from nephos.lib import errors


class ProgramMissing(errors.NephosError):
    """A program that is needed is not installed."""

    exit_code = errors.ExitCode.NOT_NOW
    http_status = 409


class ProgramFailed(errors.NephosError):
    """A program ended with an error."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a program ended: exit code (negative: by that signal), its output, the last lines of its complaints."""

    code: int
    stdout: bytes
    stderr_tail: str


_PACKAGES = {"ffprobe": "ffmpeg", "ssh": "openssh-client", "tesseract": "tesseract-ocr"}
"""The Debian package of a program, where it is called otherwise."""


def package_of(program: str) -> str:
    """What to install to have it."""
    return _PACKAGES.get(program, program)


def find(program: str) -> str:
    """Full path of a program. Raises ProgramMissing with the way to install it."""
    path = shutil.which(program)
    if path is None:
        raise ProgramMissing(
            f"The program {program} is not installed.",
            hint=f"On Debian: apt-get install {package_of(program)}",
        )
    return path


def run(
    argv: Sequence[str | Path],
    *,
    timeout: timedelta,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
    on_line: Callable[[str], None] | None = None,
) -> Outcome:
    """Run to the end; stderr goes line by line to `on_line`. Never through a shell.

    Raises ProgramMissing, or TimedOut after killing the program's whole group.
    """
    command = [find(str(argv[0])), *(str(part) for part in argv[1:])]
    tail: deque[str] = deque(maxlen=40)
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=folder,
        env=dict(environment) if environment is not None else None,
        start_new_session=True,
    ) as process:
        reader = threading.Thread(target=_drain, args=(process, tail, on_line), name="stderr", daemon=True)
        reader.start()
        try:
            stdout = _read_within(process, timeout)
        except subprocess.TimeoutExpired:
            raise errors.TimedOut(f"{argv[0]} did not end within {timeout.total_seconds():.0f} s.") from None
        finally:
            stop(process)
            reader.join(timeout=2)
    return Outcome(code=process.returncode, stdout=stdout, stderr_tail="\n".join(tail))


def _drain(process: subprocess.Popen[bytes], tail: deque[str], on_line: Callable[[str], None] | None) -> None:
    for raw in process.stderr or ():
        line = raw.decode(errors="replace").rstrip()
        tail.append(line)
        if on_line is not None:
            on_line(line)


def _read_within(process: subprocess.Popen[bytes], timeout: timedelta) -> bytes:
    stdout: list[bytes] = []
    stream = process.stdout
    reader = threading.Thread(target=lambda: stdout.append(stream.read() if stream else b""), daemon=True)
    reader.start()
    process.wait(timeout=timeout.total_seconds())
    reader.join(timeout=5)
    return b"".join(stdout)


def stop(process: subprocess.Popen[bytes], *, grace: timedelta = timedelta(seconds=2)) -> None:
    """TERM, TERM, KILL to the group that the process leads: ffmpeg ignores the first TERM while its input is silent."""
    for sign in (signal.SIGTERM, signal.SIGTERM, getattr(signal, "SIGKILL", signal.SIGTERM)):
        if process.poll() is not None:
            break
        _signal_group(process, sign)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=grace.total_seconds() / 2)
    _signal_group(process, getattr(signal, "SIGKILL", signal.SIGTERM))


def _signal_group(process: subprocess.Popen[bytes], sign: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, sign)
        else:
            process.terminate()
