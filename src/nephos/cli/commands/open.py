"""`nephos open`: the page, signed in by a one-time link."""

from __future__ import annotations

import webbrowser
from typing import Annotated

import typer

from nephos.cli import lazy, options, output
from nephos.cli.commands import user

app = lazy.single()


@app.command("open")
def open_(*, print_: Annotated[bool, typer.Option("--print", help="Print the link, open nothing.")] = False) -> None:
    """Open the page in a browser, signed in by a link that works once."""
    made = user.LINK(body={})
    if print_ or options.current.json or not webbrowser.open(made["url"]):
        output.one(made, [("link", "url")]) if options.current.json else output.raw(made["url"])
        return
    output.say("The page opens in your browser.")
