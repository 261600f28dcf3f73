"""Which station a command talks to, and how: its socket, a URL, or the same application in this process."""

from __future__ import annotations

import os
import socket
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from nephos.cli import options
from nephos.client import http
from nephos.config.secret import Secret
from nephos.lib import errors

if TYPE_CHECKING:
    from nephos.config.load import Loaded


class HomeMissing(errors.NotNow):
    """There is no Nephos home there."""


_known: dict[str, http.Client] = {}


def client() -> http.Client:
    """The way to the station that this command line means. Raises HomeMissing."""
    asked = options.current
    key = f"{asked.station} {asked.root}"
    if key not in _known:
        _known[key] = http.Client(_transport())
    return _known[key]


def patient() -> http.Client:
    """The way to a station that may come up later, for a worker that waits for it. Raises HomeMissing."""
    from nephos.config.home import Home

    if is_remote():
        return client()
    home = Home.at(options.current.root)
    _require(home.config)
    return http.Client(http.UnixSocket(home.api_socket))


def _require(config: Path) -> None:
    if not config.is_dir():
        raise HomeMissing(
            f"There is no Nephos home at {config.parent}.",
            hint="`nephos start` makes one, --home names another, --server a station elsewhere.",
        )


def forget() -> None:
    """Look anew: a station may have started or stopped since."""
    _known.clear()


def is_remote() -> bool:
    """Whether the station is on the other end of a URL."""
    return bool(options.current.station)


def answers() -> bool:
    """Whether a running station will answer, rather than the same application in this process."""
    if is_remote():
        return True
    from nephos.config.home import Home

    return listens(Home.at(options.current.root).api_socket)


def _transport() -> http.Transport:
    if is_remote():
        token = os.environ.get("NEPHOS_TOKEN", "").strip()
        http.address(options.current.station)
        return http.Remote(options.current.station, Secret(token) if token else None)
    from nephos.config.home import Home

    home = Home.at(options.current.root)
    if listens(home.api_socket):
        return http.UnixSocket(home.api_socket)
    _require(home.config)
    from nephos.cli import in_process

    return in_process.bring_up(home.root)


def settings_or_defaults(root: Path) -> Loaded:
    """For what must work with a broken settings file, too: stopping, and telling how things are."""
    from nephos.config import errors as config_errors
    from nephos.config import load, schema
    from nephos.config.home import Home

    try:
        return load.load(root)
    except (config_errors.ConfigError, config_errors.HomeUnusable):
        return load.Loaded(settings=schema.Settings(), home=Home.at(root), origins={})


def listens(path: Path, *, timeout: timedelta = timedelta(seconds=5)) -> bool:
    """Whether somebody takes connections on a socket."""
    if not hasattr(socket, "AF_UNIX"):
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(timeout.total_seconds())
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True
