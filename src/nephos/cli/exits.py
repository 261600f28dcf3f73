"""What is said and answered when a command ends badly."""

from __future__ import annotations

import logging

import typer

from nephos.cli import options, output
from nephos.lib import errors

logger = logging.getLogger(__name__)


def usage(error: typer.TyperException) -> int:
    """A command line that was typed wrongly."""
    context = getattr(error, "ctx", None)
    message = error.format_message()
    if type(error).__name__ == "NoArgsIsHelpError":
        output.help_text(message)
        return errors.ExitCode.USAGE
    hint = f"`{context.command_path} --help` shows how." if context is not None else ""
    output.complain(" ".join(message.split()), hint=hint)
    return errors.ExitCode.USAGE


def after(error: Exception) -> int:
    """An error that ended a command: the known ones are one sentence and a hint, others a bug."""
    if isinstance(error, errors.NephosError):
        output.complain(error.message, hint=error.hint)
        if options.current.verbose:
            output.trace(error)
        return int(error.exit_code)
    if isinstance(error, OSError):
        output.complain(_of_system(error))
    else:
        logger.debug("A command failed", exc_info=error)
        output.complain(
            f"Something unexpected happened ({type(error).__name__}).",
            hint="--verbose shows where; please report it.",
        )
    if options.current.verbose:
        output.trace(error)
    return errors.ExitCode.FAILED


def _of_system(error: OSError) -> str:
    name = f"{error.filename}: " if error.filename else ""
    return f"{name}{error.strerror or error}."
