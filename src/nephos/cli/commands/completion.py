"""`nephos completion SHELL`: the script that makes the shell complete our commands."""

from __future__ import annotations

from typing import Annotated

import typer

from nephos.cli import lazy, output
from nephos.lib import errors

app = lazy.single()


SHELLS = ("bash", "zsh", "fish")


@app.command()
def completion(shell: Annotated[str, typer.Argument(help="bash, zsh or fish.", show_default=False)]) -> None:
    """Print a completion script; bash: save it as ~/.local/share/bash-completion/completions/nephos."""
    if shell not in SHELLS:
        raise errors.Invalid(f"There is no completion for {shell[:40]!r}.", hint=f"One of {', '.join(SHELLS)}.")
    from typer import completion as of_typer

    write = of_typer.get_completion_script  # type: ignore[attr-defined]  # Typer re-exports it without saying so
    script = write(prog_name="nephos", complete_var="_NEPHOS_COMPLETE", shell=shell)
    output.raw(script)
