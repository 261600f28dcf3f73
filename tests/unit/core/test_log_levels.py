"""Levels a module, debug files a package, and a pipe that is never waited for."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator

import pytest

from nephos.config import load
from nephos.core import levels, logs
from tests.support import waiting


@pytest.fixture(autouse=True)
def quiet_again(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Handlers and levels as they were; changed settings are looked for more often."""
    root, ours = logging.getLogger(), logging.getLogger("nephos")
    before = (root.handlers[:], root.level, ours.level)
    monkeypatch.setattr(levels, "_LOOK", levels.timedelta(seconds=0.05))
    yield
    for handler in root.handlers:
        if handler not in before[0]:
            handler.close()
    root.handlers[:] = before[0]
    root.setLevel(before[1])
    ours.setLevel(before[2])
    logging.captureWarnings(capture=False)


def lines(home: load.Loaded, name: str) -> list[str]:
    """Messages in a log file."""
    path = home.home.logs / name
    return [line.rpartition(": ")[2] for line in path.read_text().splitlines()] if path.exists() else []


def with_settings(home: load.Loaded, text: str) -> load.Loaded:
    """The same home with these settings."""
    home.home.config_file.write_text(text)
    return load.load(home.home.root, environment={})


def test_a_module_has_a_level_of_its_own(home: load.Loaded) -> None:
    loaded = with_settings(home, '[logging]\nlevel = "warning"\nmodules = { "sync.pump" = "debug", farm = "error" }\n')
    logs.setup(loaded, role="test", console=False)

    logging.getLogger("nephos.sync.pump.deep").debug("taken")
    logging.getLogger("nephos.sync.other").info("left out")
    logging.getLogger("nephos.farm").warning("left out")
    logging.getLogger("somebody.else").warning("theirs")

    assert lines(home, "test.log") == ["taken", "theirs"]


def test_each_package_keeps_everything_in_a_file_of_its_own(home: load.Loaded) -> None:
    logs.setup(home, role="test", console=False)

    logging.getLogger("nephos.recording.sweep").debug("fine")
    logging.getLogger("nephos.sync").info("coarse")

    assert lines(home, "debug/recording.test.log") == ["fine"]
    assert lines(home, "debug/sync.test.log") == ["coarse"]
    assert lines(home, "test.log") == ["coarse"]


def test_levels_are_taken_up_while_it_runs(home: load.Loaded) -> None:
    logs.setup(home, role="test", console=False)
    logger = logging.getLogger("nephos.recording")
    logger.debug("not yet")

    home.home.config_file.write_text('[logging]\ndebug_files = false\nmodules = { recording = "debug" }\n')

    def heard() -> bool:
        logger.debug("now")
        return "now" in lines(home, "test.log")

    waiting.until(heard, seconds=5, what="the new level")
    assert "not yet" not in lines(home, "test.log")


def test_a_pipe_that_nobody_reads_is_not_waited_for(home: load.Loaded) -> None:
    source, sink = os.pipe()
    os.set_blocking(sink, False)
    logs.setup(home, role="test", pipe=sink)

    for number in range(2000):
        logging.getLogger("nephos.web").info("x" * 200, extra={"number": number})
    read = os.read(source, 1 << 20)
    os.close(source)
    logging.getLogger("nephos.web").info("nobody is there any more")
    os.close(sink)

    assert len(lines(home, "test.log")) == 2001
    assert read.count(b"\n") >= 100
    assert all(len(line) > 200 for line in read.splitlines())


def test_a_name_cannot_forge_a_line(home: load.Loaded) -> None:
    logs.setup(home, role="test", console=False)

    logging.getLogger("nephos.web").info(
        "Channel\n2026-01-01T00:00:00.000Z error fake: %s", "x", extra={"name_": "\x1b[2J"}
    )

    text = (home.home.logs / "test.log").read_text()
    assert text.count("\n") == 1
    assert "\x1b" not in text


def test_the_spool_for_critical_records_comes_after_the_files(home: load.Loaded) -> None:
    logs.setup(home, role="test", console=False)

    assert [type(handler).__name__ for handler in logging.getLogger().handlers] == [
        "RotatingFileHandler",
        "PackageFiles",
        "Spool",
    ]
