"""A terminal for a program under test: a pty, and a screen that remembers what scrolled away."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence

import pyte

from tests.support import waiting


class Terminal:
    """One program on a pty of its own. The screen is fed whenever somebody looks or types."""

    def __init__(
        self, argv: Sequence[str], *, environment: Mapping[str, str], pass_fds: Sequence[int] = (), columns: int = 120
    ) -> None:
        self._screen = pyte.HistoryScreen(columns, 40, history=20_000, ratio=0.001)
        self._stream = pyte.ByteStream(self._screen)
        self._master, slave = pty.openpty()
        os.system(f"stty rows 40 cols {columns} < {os.ttyname(slave)}")
        self.process = subprocess.Popen(
            argv,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**environment, "TERM": "xterm-256color"},
            pass_fds=tuple(pass_fds),
            start_new_session=True,
            preexec_fn=lambda: _take_terminal(slave),  # noqa: PLW1509 - two system calls, nothing that locks
        )
        os.close(slave)

    def feed(self, seconds: float = 0.0) -> None:
        """Take in what was printed."""
        deadline = time.monotonic() + seconds
        while True:
            ready, _, _ = select.select([self._master], [], [], max(0.0, min(0.05, deadline - time.monotonic())))
            try:
                block = os.read(self._master, 65536) if ready else b""
            except OSError:
                return
            if b"\x1b[6n" in block:  # "where is the cursor?": a real terminal answers
                os.write(self._master, f"\x1b[{self._screen.cursor.y + 1};{self._screen.cursor.x + 1}R".encode())
            self._stream.feed(block)
            if not block and time.monotonic() >= deadline:
                return

    def type(self, text: str) -> None:
        """Press keys."""
        os.write(self._master, text.encode())

    def lines(self) -> list[str]:
        """Everything that is or was on the screen."""
        self.feed()
        past = ["".join(row[x].data for x in range(self._screen.columns)) for row in self._screen.history.top]
        return [line.rstrip() for line in (*past, *self._screen.display)]

    def until(self, look: Callable[[list[str]], object], *, what: str, seconds: float = 20) -> list[str]:
        """The lines once they look right."""

        def once() -> list[str] | None:
            self.feed(0.05)
            found = self.lines()
            return found if look(found) else None

        try:
            return waiting.until(once, seconds=seconds, what=what)
        except AssertionError as error:
            raise AssertionError(f"{error}\n" + "\n".join(self.lines()[-40:])) from None

    def end(self, seconds: float = 20) -> int:
        """The exit code."""
        deadline = time.monotonic() + seconds
        while self.process.poll() is None and time.monotonic() < deadline:
            self.feed(0.05)
        self.feed(0.1)
        code = self.process.poll()
        if code is None:
            self.process.kill()
            raise AssertionError("The program did not end:\n" + "\n".join(self.lines()[-40:]))
        return code


def _take_terminal(slave: int) -> None:
    import fcntl
    import termios

    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
