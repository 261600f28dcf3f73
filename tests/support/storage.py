"""What e2e tests arrange before a recording: a channel on the air, storage, a watch."""

from __future__ import annotations

from pathlib import Path

from tests.support.station import Station


def add_channel(station: Station, name: str, *, group: str, port: int) -> None:
    """A channel on the loopback interface."""
    address = f"udp://{group}:{port}?interface=127.0.0.1"
    station.run("channel", "add", name, address, "--country", "ES", "--language", "eng", "--zone", "Europe/Madrid")


def deliver_to_folder(station: Station, folder: Path) -> None:
    """Every finished set goes to a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    station.run("connection", "add", "shelf", "file")
    station.run("destination", "add", "shelf", "--connection", "shelf", "--base", str(folder))
    station.run("watch", "add", "recordings", "--sets", "--to", "shelf")
