"""Groups of commands that load what they need when it is needed."""

# ruff: noqa: ARG002 - the signatures are those of Typer's group

from __future__ import annotations

import difflib
import functools
import importlib
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperGroup

from nephos.cli import parameters, table, values
from nephos.lib import errors

if TYPE_CHECKING:
    from typer._click.core import Command, Context, Parameter
    from typer._click.formatting import HelpFormatter
    from typer._click.shell_completion import CompletionItem


class Nouns(TyperGroup):
    """The root: names and help come from the table, a command imports its own module alone."""

    def list_commands(self, ctx: Context) -> list[str]:
        return list(table.TABLE)

    def get_command(self, ctx: Context, cmd_name: str) -> Command | None:
        entry = table.TABLE.get(cmd_name)
        return None if entry is None else load(cmd_name, entry)

    def format_commands(self, ctx: Context, formatter: HelpFormatter) -> None:
        for group in dict.fromkeys(entry.group for entry in table.TABLE.values()):
            with formatter.section(group):
                formatter.write_dl([(name, e.help) for name, e in table.TABLE.items() if e.group == group])

    def resolve_command(self, ctx: Context, args: list[str]) -> tuple[str | None, Command | None, list[str]]:
        return _resolve(self, ctx, args)

    def shell_complete(self, ctx: Context, incomplete: str) -> list[CompletionItem]:
        from typer._click.shell_completion import CompletionItem

        return [CompletionItem(n, help=e.help) for n, e in table.TABLE.items() if n.startswith(incomplete)]


class Verbs(TyperGroup):
    """A noun: `ls` and `rm` are other words for `list` and `remove`."""

    def get_command(self, ctx: Context, cmd_name: str) -> Command | None:
        return self.commands.get(cmd_name) or self.commands.get(table.ALIASES.get(cmd_name, ""))

    def resolve_command(self, ctx: Context, args: list[str]) -> tuple[str | None, Command | None, list[str]]:
        return _resolve(self, ctx, args)


def noun(help_text: str = "") -> typer.Typer:
    """An empty noun for a module of `cli.commands` to put its verbs in."""
    app = typer.Typer(cls=Verbs, help=help_text, no_args_is_help=True, add_completion=False, rich_markup_mode=None)
    app.callback()(_nothing)
    return app


def single() -> typer.Typer:
    """A command without verbs."""
    return typer.Typer(add_completion=False, rich_markup_mode=None)


def load(name: str, entry: table.Entry) -> Command:
    """The command behind an entry of the table, with the options of every command."""
    module = importlib.import_module(f"nephos.cli.commands.{entry.module}")
    command: Command = typer.main.get_command(module.app)
    command.name = name
    command.help = command.help or entry.help
    if not entry.bare:
        _add_options(command)
    values.lighten(command)
    return command


def _nothing() -> None:
    """Make Typer see a group even where there is one verb only."""


def _add_options(command: Command) -> None:
    command.params.extend(global_parameters())
    command.add_help_option = False  # ours does the same without Typer's, which would load pydantic
    for verb in getattr(command, "commands", {}).values():
        _add_options(verb)


@functools.cache
def global_parameters() -> tuple[Parameter, ...]:
    """Parameters for `--home`, `--json` and their like."""
    holder = typer.Typer(add_completion=False, rich_markup_mode=None)
    holder.command()(parameters.everywhere)
    made: Any = typer.main.get_command(holder)
    return tuple(made.params)


def _resolve(group: TyperGroup, ctx: Context, args: list[str]) -> tuple[str | None, Command | None, list[str]]:
    name = args[0]
    command = group.get_command(ctx, name)
    if command is not None or ctx.resilient_parsing or name.startswith("-"):
        return TyperGroup.resolve_command(group, ctx, args)
    known = group.list_commands(ctx)
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"Did you mean `{ctx.command_path} {near[0]}`?" if near else f"`{ctx.command_path} --help` lists them."
    raise errors.Invalid(f"There is no command {name[:40]!r}.", hint=hint)
