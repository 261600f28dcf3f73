"""`nephos status`: what is alive and what it is at."""

from __future__ import annotations

from typing import Any

from nephos.cli import lazy, options, output, shown, station
from nephos.cli.operations import Operation
from nephos.config.home import Home
from nephos.lib import errors

STATUS = Operation("GET", "/status")

app = lazy.single()

ROLES: list[output.Column] = [
    ("ROLE", "role"),
    ("STATE", "state"),
    ("PID", "pid"),
    ("SINCE", shown.moment("started_at")),
    ("AT", lambda row: "; ".join(_details(row.get("details") or {}))),
]


@app.command()
def status() -> None:
    """Tell what is alive and what it is at; works with the station stopped, too."""
    found = _ask()
    if options.current.json:
        output.as_json(found)
        return
    state = f"runs as process {found['pid']}" if found["running"] else "is stopped"
    output.raw(output.printable(f"Station {found['station']} on {found['home']} {state}."))
    if found["running"]:
        output.raw(output.printable(f"Its page is at {found['address']}."))
    output.rows(found["roles"], ROLES, empty="")
    if not found["running"]:
        output.say("`nephos start` starts it.")


def _ask() -> dict[str, Any]:
    found: dict[str, Any]
    if station.is_remote():
        found = STATUS()
        return found
    place = Home.at(options.current.root)
    if station.listens(place.api_socket):
        try:
            found = STATUS()
        except (errors.Unreachable, errors.TimedOut) as error:
            output.say(f"The page does not answer, so this is from the roles' heartbeats: {error.message}")
        else:
            return found
    from nephos.daemon import supervisor

    found = supervisor.describe(station.settings_or_defaults(options.current.root))
    return found


def _details(details: dict[str, Any]) -> list[str]:
    words = [f"{name} {state}" for name, state in details.get("loops", {}).items() if state != "running"]
    for receiver in details.get("receivers", []):
        words.append(f"{receiver.get('slug')} {receiver.get('state')}")
    return words
