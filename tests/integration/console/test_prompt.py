"""The prompt in a real terminal: log lines pass above it and nothing is garbled."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from nephos.daemon import front
from tests.support.terminal import Terminal

TYPED = "help schedule --not-a-word and some more text to type while lines pass"


@pytest.fixture
def prompt(tmp_path: Path) -> Iterator[tuple[Terminal, int]]:
    """The prompt of `nephos start`, and the pipe that its log lines come through."""
    (tmp_path / "home/run").mkdir(parents=True)
    (tmp_path / "home/config").mkdir()
    source, sink = os.pipe()
    os.set_blocking(source, False)
    terminal = Terminal(
        [sys.executable, "-m", "nephos", "--home", str(tmp_path / "home"), "console"],
        environment={
            **{k: v for k, v in os.environ.items() if not k.startswith("NEPHOS_")},
            front._LINES: str(source),
            front._PARENT: str(os.getpid()),
        },
        pass_fds=(source,),
    )
    os.close(source)
    yield terminal, sink
    terminal.process.kill()
    terminal.process.wait()
    os.close(sink)


def line(number: int) -> str:
    """A log line as it is written."""
    where = "2026-11-22T19:16:20.125Z info    recording.recorder"
    return f"{where}: Line {number:04} of a thousand channel=La-Uno end={number:04}"


def test_a_thousand_log_lines_while_typing_garble_nothing(prompt: tuple[Terminal, int]) -> None:
    terminal, sink = prompt
    terminal.until(lambda lines: any(text.startswith("nephos>") for text in lines), what="the prompt")

    def flood() -> None:
        for number in range(1000):
            os.write(sink, f"{line(number)}\n".encode())
            if number % 10 == 9:
                time.sleep(0.02)

    writer = threading.Thread(target=flood)
    writer.start()
    for key in TYPED:
        terminal.type(key)
        terminal.feed(0.03)
    writer.join()
    shown = terminal.until(
        lambda lines: sum("of a thousand" in text for text in lines) >= 1000 and f"nephos> {TYPED}" in lines,
        what="all lines and the typed text",
    )
    terminal.type("\x15version\r")
    after = terminal.until(lambda lines: any("Apache" in text for text in lines), what="the command's answer")
    terminal.type("quit\r")
    code = terminal.end()

    assert [text for text in shown if "of a thousand" in text] == [line(number) for number in range(1000)]
    assert shown.index(f"nephos> {TYPED}") > max(n for n, text in enumerate(shown) if "of a thousand" in text)
    assert [text for text in after if "of a thousand" in text] == [line(number) for number in range(1000)]
    assert code == front.DRAIN


def test_lines_that_come_while_a_command_runs_are_shown_after_it(prompt: tuple[Terminal, int]) -> None:
    terminal, sink = prompt
    terminal.until(lambda lines: any(text.startswith("nephos>") for text in lines), what="the prompt")

    terminal.type("help\r")
    os.write(sink, f"{line(7)}\n{line(8)}\x1b[2J\n".encode())
    shown = terminal.until(lambda lines: any(line(8) in text for text in lines), what="the lines")

    assert any("rmjb" in text for text in shown)
    assert line(7) in shown
    assert f"{line(8)}\\x1b[2J" in shown


def test_ctrl_c_empties_a_line_first_and_then_stops_the_station(prompt: tuple[Terminal, int]) -> None:
    terminal, _ = prompt
    terminal.until(lambda lines: any(text.startswith("nephos>") for text in lines), what="the prompt")

    terminal.type("chan")
    terminal.until(lambda lines: "nephos> chan" in lines, what="the text")
    terminal.type("\x03")
    terminal.until(lambda lines: lines.count("nephos>") >= 1, what="a fresh prompt")
    terminal.type("\x03")

    assert terminal.end() == front.STOP


def test_ctrl_d_closes_the_prompt_alone(prompt: tuple[Terminal, int]) -> None:
    terminal, _ = prompt
    terminal.until(lambda lines: any(text.startswith("nephos>") for text in lines), what="the prompt")

    terminal.type("\x04")

    assert terminal.end() == front.LEFT


def test_words_are_completed(prompt: tuple[Terminal, int]) -> None:
    terminal, _ = prompt
    terminal.until(lambda lines: any(text.startswith("nephos>") for text in lines), what="the prompt")

    terminal.type("sched\t")
    terminal.until(lambda lines: "nephos> schedule" in lines, what="the noun")
    terminal.type(" prev\t")
    terminal.until(lambda lines: "nephos> schedule preview" in lines, what="the verb")
    terminal.type(" --dur\t")

    terminal.until(lambda lines: "nephos> schedule preview --duration" in lines, what="the option")
