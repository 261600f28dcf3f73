"""A PostgreSQL of its own for one test."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

_SCRIPT = Path(__file__).parents[2] / "script" / "with-postgres"


@contextlib.contextmanager
def running(*, seconds: int = 150) -> Iterator[str]:
    """The database's URL while the block runs; the server ends by itself after so many seconds."""
    argv = ["sh", str(_SCRIPT), "sh", "-c", f'echo "$NEPHOS_DATABASE_URL"; exec sleep {seconds}']
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert url.startswith("postgresql://"), url
        try:
            yield url
        finally:
            os.killpg(process.pid, signal.SIGTERM)
