"""Be a worker of a station: `nephos worker run`, and `python -m nephos.farm.member` for the same without its weight.

The station is reached by its API alone, with a token; the database is never seen from here.
"""

from __future__ import annotations

import logging
import os
import socket
import sys
import threading
from dataclasses import dataclass
from datetime import timedelta

from nephos.client import http
from nephos.client import ledger as client_ledger
from nephos.config.secret import Secret
from nephos.farm import ledger
from nephos.farm.engines import dask, local
from nephos.lib import errors, ports, signals

_TIMEOUT = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Membership:
    """Where the station is and what this worker offers."""

    server: str
    token: Secret
    scheduler: str = "tcp://127.0.0.1:8610"
    name: str = ""
    slots: int = 0

    @property
    def title(self) -> str:
        """The worker's name: the machine's unless another is given."""
        return self.name or socket.gethostname().split(".")[0]


def run(membership: Membership, *, stop: ports.Waiter) -> None:
    """Work until `stop` is set. Raises EngineMissing, NotLoopback or Invalid for a bad address."""
    http.address(membership.server)
    client = http.Client(http.Remote(membership.server, membership.token, timeout=_TIMEOUT))
    dask.serve(
        membership.scheduler,
        station=client_ledger.Ledger(client, assignment=ledger.Assignment),
        name=membership.title,
        slots=membership.slots or local.default_slots(),
        mark=f"{membership.server}|{membership.title}",
        stop=stop,
    )


def main(arguments: list[str]) -> int:
    """`SERVER SCHEDULER [NAME [SLOTS]]`; the token comes from NEPHOS_TOKEN."""
    stop = threading.Event()
    signals.set_by_end(stop)
    logging.basicConfig(stream=sys.stderr, level=logging.INFO)
    server, scheduler, name, slots = [*arguments, "", ""][:4]
    token = Secret(os.environ.get("NEPHOS_TOKEN", ""))
    try:
        run(Membership(server, token, scheduler, name, int(slots or 0)), stop=stop)
    except errors.NephosError as error:
        sys.stderr.write(f"worker: {error.message}\n")
        return int(error.exit_code)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
