"""Questions to the person at the terminal. Where there is none nothing is asked, and defaults count."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import typer

from nephos.cli import options


def is_possible() -> bool:
    """Whether somebody sits there and can answer."""
    return sys.stdin.isatty() and sys.stderr.isatty() and not options.current.json


def text(question: str) -> str:
    """One line; Enter skips."""
    answer: str = typer.prompt(question, default="", show_default=False, err=True)
    return answer.strip()


def choice(question: str, words: Sequence[str]) -> str:
    """One of these words, asked again until it is one; Enter takes the first."""
    while True:
        answer = text(f"{question} ({'/'.join(words)}) [{words[0]}]") or words[0]
        if answer in words:
            return answer
        typer.echo(f"One of {', '.join(words)}.", err=True)
