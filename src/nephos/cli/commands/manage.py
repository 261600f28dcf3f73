"""`nephos manage ...`: Django's own commands on this home's database."""

from __future__ import annotations

import typer

from nephos.cli import lazy, options
from nephos.config import load
from nephos.lib import errors

app = lazy.single()


@app.command(add_help_option=False, context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def manage(context: typer.Context) -> int:
    """Run one of Django's own commands, for example: nephos manage migrate."""
    loaded = load.load(options.here())
    if not loaded.home.config.is_dir():
        raise errors.NotNow(
            f"There is no Nephos home at {loaded.home.root}.",
            hint="`nephos init` makes one, and so does the first `nephos start`.",
        )
    from nephos.core import bootstrap

    bootstrap.setup(loaded)
    from django.core import management

    try:
        management.execute_from_command_line(["nephos manage", *context.args])
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(errors.ExitCode.FAILED)
    return int(errors.ExitCode.DONE)
