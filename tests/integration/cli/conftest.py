"""Commands with the station stopped, on the home that Django runs on in these tests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture
def nephos(
    db: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], open_connections: None
) -> Iterator[Any]:
    """Runs a command and gives its exit code, data and what people read."""
    from nephos.cli import app, in_process, options, station
    from nephos.core import bootstrap
    from nephos.web import asgi, current

    loaded = bootstrap.loaded()
    loaded.home.config_file.unlink(missing_ok=True)
    current._live.cache_clear()
    monkeypatch.setenv("NEPHOS_HOME", str(loaded.home.root))
    monkeypatch.setattr(in_process, "bring_up", lambda _: in_process.InProcess(asgi.application))

    class Nephos:
        """`nephos ...`"""

        home = loaded.home
        out = ""
        err = ""

        def __call__(self, *arguments: str) -> int:
            station.forget()
            code = app.run(arguments)
            self.out, self.err = capsys.readouterr()
            return int(code)

        def json(self, *arguments: str) -> Any:
            assert self(*arguments, "--json") == 0, self.err
            return json.loads(self.out)

    yield Nephos()
    options.reset()
    loaded.home.config_file.unlink(missing_ok=True)
    current._live.cache_clear()
