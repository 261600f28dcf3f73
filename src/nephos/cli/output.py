"""The only printer: data on stdout, people's text on stderr; tables on a terminal, plain columns elsewhere."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TextIO

from nephos.cli import options

Row = Mapping[str, Any]
Column = tuple[str, str | Callable[[Any], object]]


def steady_streams() -> None:
    """A name that the terminal cannot show must not end a command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            with contextlib.suppress(ValueError, OSError):
                stream.reconfigure(errors="backslashreplace")


def on_terminal(stream: TextIO | None = None) -> bool:
    """Whether colours, bars and tables are welcome."""
    chosen = stream or sys.stdout
    return not options.current.plain and chosen.isatty() and os.environ.get("TERM") != "dumb"


# --- people's text ---------------------------------------------------------------------------------------------------


def say(text: str) -> None:
    """A line for people, on stderr; nothing under --quiet."""
    if not options.current.quiet:
        _write(sys.stderr, printable(text))


def complain(sentence: str, *, hint: str = "") -> None:
    """An error: one sentence and what to do."""
    _write(sys.stderr, f"nephos: {printable(sentence)}")
    if hint:
        _write(sys.stderr, f"hint: {printable(hint)}")


def trace(error: BaseException) -> None:
    """Where an error came from, for --verbose."""
    _write(sys.stderr, "".join(traceback.format_exception(error)).rstrip())


def help_text(text: str) -> None:
    """The help that is shown when nothing was asked for."""
    _write(sys.stderr, text)


# --- data ------------------------------------------------------------------------------------------------------------


def raw(text: str) -> None:
    """Text that is the data: a script, a log."""
    _write(sys.stdout, text)


def as_json(value: object) -> None:
    """One JSON document."""
    _write(sys.stdout, json.dumps(value, ensure_ascii=False, indent=2))


def json_line(value: object) -> None:
    """One JSON object on a line, for streams."""
    _write(sys.stdout, json.dumps(value, ensure_ascii=False))
    flush()


def rows(found: Sequence[Row], columns: Sequence[Column], *, empty: str) -> None:
    """A list of things."""
    if options.current.json:
        as_json(list(found))
    elif not found:
        say(empty)
    else:
        cells = [[_cell(row, column) for _, column in columns] for row in found]
        _table([title for title, _ in columns], cells)


def one(found: Row, fields: Sequence[Column]) -> None:
    """One thing, a line for each of its facts; empty ones are left out."""
    if options.current.json:
        as_json(found)
        return
    shown = [(title, text) for title, field in fields if (text := _cell(found, field))]
    width = max((len(title) for title, _ in shown), default=0)
    for title, text in shown:
        _write(sys.stdout, f"{title.ljust(width)}  {text}")


def done(found: object, sentence: str) -> None:
    """The end of a command that changed something: the thing as JSON if asked for, else a sentence."""
    if options.current.json:
        as_json(found)
    else:
        say(sentence)


def printable(text: object) -> str:
    """Text that cannot play tricks with a terminal, whatever a channel or file is called."""
    return "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in str(text))


def flush() -> None:
    """Hand everything to the reader now. Raises BrokenPipeError if there is none any more."""
    sys.stdout.flush()


def drop_stdout() -> None:
    """Nobody reads any more (`nephos ... | head`): keep Python from complaining at its end."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _cell(row: Row, column: str | Callable[[Any], object]) -> str:
    value = row.get(column) if isinstance(column, str) else column(row)
    match value:
        case None | "":
            return ""
        case bool():
            return "yes" if value else "no"
        case list() | tuple():
            return printable(", ".join(str(item) for item in value)).replace("\n", " ")
        case _:
            return printable(value).replace("\n", " ")


def _table(titles: list[str], cells: list[list[str]]) -> None:
    if on_terminal():
        _rich_table(titles, cells)
        return
    widths = [max(len(line[n]) for line in [titles, *cells]) for n in range(len(titles))]
    for line in [titles, *cells]:
        _write(sys.stdout, "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())


def _rich_table(titles: list[str], cells: Iterable[list[str]]) -> None:
    from rich import box, console, table, text

    grid = table.Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for title in titles:
        grid.add_column(title, overflow="fold")
    for line in cells:
        grid.add_row(*(text.Text(cell) for cell in line))
    console.Console(no_color=bool(os.environ.get("NO_COLOR")) or None).print(grid)


def _write(stream: TextIO, text: str) -> None:
    stream.write(text + "\n")
