"""`nephos completion SHELL`: the script that makes the shell complete our commands."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from nephos.cli import lazy, output

app = lazy.single()


class Shell(StrEnum):
    """Shells we can help."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


@app.command()
def completion(shell: Annotated[Shell, typer.Argument(help="Which shell.")]) -> None:
    """Print a completion script; bash: save it as ~/.local/share/bash-completion/completions/nephos."""
    from typer import completion as of_typer

    write = of_typer.get_completion_script  # type: ignore[attr-defined]  # Typer re-exports it without saying so
    script = write(prog_name="nephos", complete_var="_NEPHOS_COMPLETE", shell=shell.value)
    output.raw(script)
