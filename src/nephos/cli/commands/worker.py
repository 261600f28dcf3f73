"""`nephos worker`: machines that do the work."""

from __future__ import annotations

import logging
import socket
import threading
from typing import Annotated

import typer

from nephos.cli import lazy, output, shown, station
from nephos.cli.operations import Operation
from nephos.lib import signals, text

LIST = Operation("GET", "/workers")
ENABLE = Operation("POST", "/workers/{name}/enable")
DISABLE = Operation("POST", "/workers/{name}/disable")

app = lazy.noun("Machines that do the work.")

Name = Annotated[str, typer.Argument(help="Name of the worker.", show_default=False)]

COLUMNS: list[output.Column] = [
    ("NAME", "name"),
    ("HOST", "host"),
    ("SLOTS", "slots"),
    ("BUSY", "running"),
    ("STATE", "state"),
    ("ENABLED", "enabled"),
    ("SEEN", shown.moment("seen_at")),
]


@app.command("list")
def list_() -> None:
    """List the workers."""
    output.rows(LIST(), COLUMNS, empty="No worker was seen yet; the farm role brings one.")


@app.command()
def enable(name: Name) -> None:
    """Let a worker have work."""
    output.done(ENABLE(name), f"Worker {name} is enabled.")


@app.command()
def disable(name: Name) -> None:
    """Give a worker no more work; what it runs goes on."""
    output.done(DISABLE(name), f"Worker {name} is disabled.")


@app.command()
def run(
    *,
    scheduler: Annotated[str, typer.Option(help="The farm's engine, where the station's settings open it.")] = (
        "tcp://127.0.0.1:8610"
    ),
    name: Annotated[str, typer.Option(help="What the station calls this worker; else the machine's name.")] = "",
    slots: Annotated[int, typer.Option(min=1, max=1024, help="How many tasks at once.")] = 1,
) -> None:
    """Be a worker of a station whose farm engine is dask, until Ctrl-C."""
    from nephos.client.ledger import Ledger
    from nephos.farm import ledger
    from nephos.farm.engines import dask

    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    stop = threading.Event()
    signals.set_by_end(stop)
    called = name or socket.gethostname()
    book = Ledger(station.patient(), assignment=ledger.Assignment)
    output.say(f"Worker {called} with {text.count(slots, 'slot')} works for {scheduler}. Ctrl-C ends it.")
    dask.serve(
        scheduler,
        station=book,
        name=called,
        slots=slots,
        mark=f"nephos-worker:{called}",
        stop=stop,
    )
