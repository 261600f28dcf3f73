"""The door: run one command line and answer with an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import typer
from typer import completion

from nephos.cli import exits, lazy, options, output, parameters, values
from nephos.lib.errors import ExitCode

_COMPLETE = "_NEPHOS_COMPLETE"  # set by the scripts of `nephos completion`

root = typer.Typer(
    cls=lazy.Nouns,
    name="nephos",
    help="Nephos, an unattended media station: record, process, deliver and share broadcast streams.",
    epilog="Exit codes: 0 done, 1 failed, 2 usage, 3 partly, 4 not found, 5 not possible now, "
    "6 unreachable, 7 not allowed, 8 timed out, 130 interrupted.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    add_help_option=False,  # ours is among the options of every command
    context_settings={"max_content_width": 100},
)
root.callback()(parameters.everywhere)


def run(arguments: Sequence[str]) -> int:
    """Run a command line; never raises, whatever was typed."""
    options.reset()
    output.steady_streams()
    if _COMPLETE in os.environ:
        completion.get_completion_inspect_parameters()  # registers the shells
    try:
        command = typer.main.get_command(root)
        values.lighten(command)
        answer = command.main(args=list(arguments), prog_name="nephos", standalone_mode=False)
        output.flush()
    except typer.TyperException as error:
        return exits.usage(error)
    except SystemExit as error:  # Typer's, after printing completions or when nobody reads any more
        return error.code if isinstance(error.code, int) else ExitCode.FAILED
    except (KeyboardInterrupt, typer.Abort):
        output.complain("Interrupted.")
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        output.drop_stdout()
        return ExitCode.DONE
    except Exception as error:  # noqa: BLE001 - an edge: `exits` tells what happened and --verbose where
        return exits.after(error)
    return answer if isinstance(answer, int) else ExitCode.DONE


def main() -> None:
    """Entry of the `nephos` command."""
    sys.exit(run(sys.argv[1:]))
