"""The console in a terminal: a prompt with history and completion, above which log lines pass."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from prompt_toolkit import PromptSession
from prompt_toolkit.application import Application, get_app
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.history import FileHistory, InMemoryHistory

from nephos.cli import lazy, output, table
from nephos.cli.console import words
from nephos.cli.console.lines import Lines
from nephos.cli.console.session import Door, End, Session

PROMPT = "nephos> "
_LOOK_SECONDS = 0.1


class Terminal:
    """Asks for lines until one ends the conversation."""

    def __init__(self, history: Path | None, lines: Lines | None) -> None:
        self._lines = lines
        kept = FileHistory(str(_private(history))) if history else InMemoryHistory()
        self._commands: PromptSession[str] = PromptSession(
            history=kept, completer=Words(), complete_while_typing=False, enable_history_search=True
        )
        self._answers: PromptSession[str] = PromptSession(history=InMemoryHistory())

    def ask(self, question: str) -> str:
        """An answer. Raises EOFError or KeyboardInterrupt."""
        return self._answers.prompt(question, pre_run=self._show_lines)

    def talk(self, session: Session) -> End:
        """The whole conversation."""
        while True:
            try:
                line = self._commands.prompt(PROMPT, pre_run=self._show_lines)
            except KeyboardInterrupt:
                if session.door is Door.START and not self._commands.default_buffer.text:
                    return End.STOP
                continue
            except EOFError:
                return End.LEAVE
            end = session.obey(line)
            output.flush()
            if end is not None:
                return end

    def _show_lines(self) -> None:
        if self._lines is not None:
            get_app().create_background_task(self._pass_by(self._lines))

    async def _pass_by(self, lines: Lines) -> None:
        """Lines are taken only when they are written at once, so that none is lost when the prompt ends."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            if lines.some():
                write_above(get_app(), lines)


def write_above(app: Application[Any], lines: Lines) -> None:
    """Write what has come where the prompt is, and the prompt anew below it.

    `run_in_terminal` would do the same in the terminal's line mode, which echoes a key that is pressed meanwhile into
    the lines (seen with 1,000 lines: one of 70 keys).
    """
    text = "".join(f"{output.printable(line)}\r\n" for line in lines.take())
    app.renderer.erase()
    app.output.enable_autowrap()
    app.output.write_raw(text)
    app.output.flush()
    app.renderer.request_absolute_cursor_position()
    app.invalidate()


class Words(Completer):
    """Nouns, verbs, options and the old short names."""

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Completion]:  # noqa: ARG002 - the signature is prompt_toolkit's
        """What could stand at the cursor."""
        before = document.text_before_cursor.split()
        begun = "" if document.text_before_cursor[-1:].isspace() else (before.pop() if before else "")
        for name in candidates(before):
            if name.startswith(begun):
                yield Completion(name, start_position=-len(begun))


def candidates(before: list[str]) -> list[str]:
    """Words that may follow these."""
    if not before or before == ["help"]:
        return sorted({*table.TABLE, *words.SHORT, *words.LEAVE, "help", words.SHUTDOWN})
    noun, *more = words.plain(before)
    if noun not in table.TABLE:
        return []
    command: Any = lazy.load(noun, table.TABLE[noun])
    verbs = getattr(command, "commands", {})
    if verbs and not more:
        return sorted(verbs)
    chosen = verbs.get(more[0]) if verbs else command
    return sorted(name for parameter in getattr(chosen, "params", []) for name in parameter.opts if "--" in name)


def plainly(session: Session, read: Callable[[], str]) -> End:
    """Lines from a file, a pipe or a terminal that can do nothing."""
    while True:
        try:
            line = read()
        except EOFError:
            return End.LEAVE
        except KeyboardInterrupt:
            return End.STOP if session.door is Door.START else End.LEAVE
        end = session.obey(line)
        output.flush()
        if end is not None:
            return end


def _private(path: Path) -> Path:
    """What people typed is nobody else's business."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    return path
