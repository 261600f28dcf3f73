"""`nephos connection`: kinds of storage the station can talk to."""

from __future__ import annotations

from typing import Annotated

import typer

from nephos.cli import lazy, output
from nephos.cli.operations import Operation, given, pairs

LIST = Operation("GET", "/connections")
ADD = Operation("POST", "/connections")
REMOVE = Operation("DELETE", "/connections/{name}")
TEST = Operation("POST", "/connections/{name}/test")

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
    name: Name,
    kind: Annotated[str, typer.Argument(help="file, s3 or sftp.", show_default=False)],
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
    """Add a connection; keys are references, never the secrets themselves."""
    chosen = given(
        endpoint=endpoint, region=region, access_key=access_key, secret_key=secret_key, path_style=path_style
    ) | given(host=host, port=port, user=user, key_file=key_file, password=password)
    made = ADD(body={"name": name, "kind": kind, "options": {**chosen, **pairs(option or [])}})
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


def _options(row: dict[str, dict[str, object]]) -> str:
    return " ".join(f"{key}={value}" for key, value in row["options"].items())
