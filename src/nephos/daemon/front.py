"""The prompt in the terminal of `nephos start`: a process of its own, fed with log lines through a pipe.

A prompt that hangs or crashes costs the station nothing: nobody waits for the pipe, and without a prompt the lines are
printed as they come.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

from nephos.core import logs
from nephos.lib import ports

logger = logging.getLogger(__name__)

LEFT, DRAIN, STOP = 0, 10, 11  # exit codes of the prompt's process

PIPE = "NEPHOS_LOG_PIPE"  # where a role writes the lines that people see
_LINES = "NEPHOS_CONSOLE_LINES"  # where the prompt reads them
_PARENT = "NEPHOS_CONSOLE_PARENT"
_PATIENCE = 3


def inherited() -> tuple[int | None, int]:
    """The pipe and the supervisor of a prompt's process; None if this is none."""
    pipe, parent = os.environ.pop(_LINES, ""), os.environ.pop(_PARENT, "0")
    return (int(pipe), int(parent)) if pipe else (None, 0)


class Front:
    """One terminal: made before the roles, opened when the station is up."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._source, self.pipe = os.pipe()
        for end in (self._source, self.pipe):
            ports.never_wait(end)
        self._process: subprocess.Popen[bytes] | None = None

    def open(self) -> None:
        """Show the prompt. Called from the main thread: the prompt dies with the thread that started it."""
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "nephos", "--home", str(self._root), "console"],
                env={**os.environ, _LINES: str(self._source), _PARENT: str(os.getpid())},
                pass_fds=(self._source,),
            )
        except OSError as error:  # no memory, no processes left: the station matters more than its prompt
            logger.warning("There is no prompt", extra={"reason": error})

    def is_open(self) -> bool:
        """Whether a person has the prompt before them."""
        return self._process is not None and self._process.poll() is None

    def say(self, line: str) -> None:
        """A line for the person, above the prompt or plainly."""
        if self.is_open():
            logs.mirror(self.pipe, line)
            return
        self._print()
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

    def look(self) -> int | None:
        """The exit code of a prompt that has just ended; prints what came since if there is none."""
        if self.is_open():
            return None
        code = self._process.returncode if self._process is not None else None
        self._process = None
        self._print()
        return code

    def close(self) -> None:
        """End the prompt and print what it has not."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
        self._print()

    def _print(self) -> None:
        try:
            while block := os.read(self._source, 65536):
                sys.stderr.write(block.decode("utf-8", "replace"))
        except BlockingIOError:
            sys.stderr.flush()
