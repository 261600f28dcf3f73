"""`nephos user`: accounts of people."""

from __future__ import annotations

import getpass
import sys
from typing import Annotated

import typer

from nephos.cli import lazy, output, shown
from nephos.cli.operations import Operation, given

LIST = Operation("GET", "/users")
ADD = Operation("POST", "/users")
REMOVE = Operation("DELETE", "/users/{name}")
PASSWORD = Operation("POST", "/users/{name}/password")
LINK = Operation("POST", "/login-links")

app = lazy.noun("Accounts.")


Name = Annotated[str, typer.Argument(help="Name of the account.", show_default=False)]
FromStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from the first line of stdin.")]

COLUMNS: list[output.Column] = [
    ("ID", "id"),
    ("NAME", "name"),
    ("ROLE", "role"),
    ("PASSWORD", "has_password"),
    ("LAST LOGIN", shown.moment("last_login_at")),
]


@app.command("list")
def list_() -> None:
    """List the accounts."""
    output.rows(LIST(), COLUMNS, empty="There are no accounts yet.")


@app.command()
def add(
    name: Name,
    *,
    role: Annotated[str, typer.Option(help="viewer, operator or admin.")] = "viewer",
    password_stdin: FromStdin = False,
    no_password: Annotated[bool, typer.Option("--no-password", help="Login links only.")] = False,
) -> None:
    """Add an account; the password is asked for."""
    secret = None if no_password else _password(from_stdin=password_stdin)
    made = ADD(body=given(name=name, role=role, password=secret))
    output.done(made, f"Account {made['name']} is there; it is {made['role']}.")


@app.command()
def password(name: Name, *, password_stdin: FromStdin = False) -> None:
    """Give an account a new password; its open sessions end."""
    PASSWORD(name, body={"password": _password(from_stdin=password_stdin)})
    output.done({"changed": name}, f"Account {name} has a new password.")


@app.command()
def link(name: Name) -> None:
    """Make a login link that works once."""
    made = LINK(body={"user": name})
    output.one(made, [("link", "url"), ("for", "user")])


@app.command()
def remove(name: Name) -> None:
    """Remove an account with its tokens and links."""
    REMOVE(name)
    output.done({"removed": name}, f"Account {name} is removed.")


def _password(*, from_stdin: bool) -> str:
    # Never an option of its own: other users of the machine can read command lines.
    if from_stdin or not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    return getpass.getpass("Password: ", stream=sys.stderr)
