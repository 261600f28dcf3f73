"""`nephos connection`: kinds of storage the station can talk to."""

from __future__ import annotations

from typing import Annotated

import typer

from nephos.cli import ask, lazy, output
from nephos.cli.operations import Operation, given, pairs

LIST = Operation("GET", "/connections")
ADD = Operation("POST", "/connections")
REMOVE = Operation("DELETE", "/connections/{name}")
TEST = Operation("POST", "/connections/{name}/test")

_REFERENCE = "as env:NAME, file:/path or keyring:service/name"
QUESTIONS = {
    "s3": {
        "endpoint": "URL of the server, for example https://s3.eu-west-1.amazonaws.com",
        "region": "Region",
        "access_key": f"Access key, {_REFERENCE}",
        "secret_key": f"Secret key, {_REFERENCE}",
    },
    "sftp": {
        "host": "Name or address of the server",
        "port": "Port",
        "user": "Who logs in",
        "key_file": "File with the private key",
        "password": f"Password, {_REFERENCE}",
    },
}

app = lazy.noun("Kinds of storage the station can talk to.")

Name = Annotated[str, typer.Argument(help="Name of the connection.", show_default=False)]


@app.command("list")
def list_() -> None:
    """List the connections."""
    columns: list[output.Column] = [
        ("NAME", "name"),
        ("KIND", "kind"),
        ("OPTIONS", _options),
        ("USED BY", "destinations"),
    ]
    output.rows(LIST(), columns, empty="There are no connections yet; `nephos connection add` adds one.")


@app.command()
def add(  # noqa: PLR0913 - the options of the kinds
    name: Annotated[str, typer.Argument(help="Its name; or only its kind, and the rest is asked for.")],
    kind: Annotated[str | None, typer.Argument(help="file, s3 or sftp.", show_default=False)] = None,
    *,
    endpoint: Annotated[str | None, typer.Option(help="s3: URL of the server.")] = None,
    region: Annotated[str | None, typer.Option(help="s3: region.")] = None,
    access_key: Annotated[str | None, typer.Option(help="s3: env:NAME, file:/path or keyring:service/name.")] = None,
    secret_key: Annotated[str | None, typer.Option(help="s3: a reference likewise, never the key itself.")] = None,
    path_style: Annotated[bool | None, typer.Option(help="s3: bucket in the path, not in the host.")] = None,
    host: Annotated[str | None, typer.Option(help="sftp: name or address of the server.")] = None,
    port: Annotated[int | None, typer.Option(help="sftp: port, 22 by default.")] = None,
    user: Annotated[str | None, typer.Option(help="sftp: who logs in.")] = None,
    key_file: Annotated[str | None, typer.Option(help="sftp: private key; without one the agent is asked.")] = None,
    password: Annotated[str | None, typer.Option(help="sftp: a reference likewise, never the password itself.")] = None,
    option: Annotated[list[str] | None, typer.Option("--option", "-o", help="KEY=VALUE; may be repeated.")] = None,
) -> None:
    """Add a connection; keys are references, never the secrets themselves.

    `connection add s3` and `connection add sftp` ask for the rest; Enter skips a question.
    """
    chosen = given(
        endpoint=endpoint, region=region, access_key=access_key, secret_key=secret_key, path_style=path_style
    ) | given(host=host, port=port, user=user, key_file=key_file, password=password)
    chosen |= dict(pairs(option or []))
    skipped: list[str] = []
    if kind is None:
        kind = name
        if ask.is_possible():
            name = ask.text(f"Name of the connection [{kind}]") or kind
            skipped = _ask_for(kind, chosen)
    made = ADD(body={"name": name, "kind": kind, "options": chosen, "skipped": skipped})
    output.done(
        made,
        f"Connection {made['name']} is there; a destination says where on it: nephos destination add NAME"
        f" --connection {made['name']}",
    )


@app.command("test")
def try_out(
    name: Name,
    *,
    accept: Annotated[str | None, typer.Option(help="sftp: trust the server whose key has this fingerprint.")] = None,
) -> int | None:
    """Try a connection and say what it can do."""
    found = TEST(name, query={"accept": accept or ""})
    output.one(found, [("connection", "name"), ("works", "works"), ("because", "reason"), ("can", "capabilities")])
    return None if found["works"] else 1


@app.command()
def remove(name: Name) -> None:
    """Remove a connection that no destination uses."""
    REMOVE(name)
    output.done({"removed": name}, f"Connection {name} is removed.")


def _ask_for(kind: str, chosen: dict[str, object]) -> list[str]:
    """Ask for what was not given on the command line; the options that were skipped."""
    skipped = []
    for key, question in QUESTIONS.get(kind, {}).items():
        if key in chosen:
            continue
        answer = ask.text(f"{question} (Enter skips)")
        if answer:
            chosen[key] = int(answer) if key == "port" and answer.isdecimal() else answer
        else:
            skipped.append(key)
    return skipped


def _options(row: dict[str, dict[str, object]]) -> str:
    return " ".join(f"{key}={value}" for key, value in row["options"].items())
