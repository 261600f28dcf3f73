"""One recording through a whole station: received, sent over a line that is hardly faster, complete, proven."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.fakes import proxy, s3, swift
from tests.support import storage, waiting
from tests.support.station import Station
from tools.growth import air

from nephos.lib import clock
from nephos.sync.connections import base
from nephos.sync.connections.s3 import connection, signer

HEADROOM = 1.2
_PATIENCE_SECONDS = 600.0


@dataclass(frozen=True)
class Found:
    """What came of it."""

    recorded_bytes: int
    left_bytes: int  # not yet acknowledged when the recording ended
    sent_bytes: int  # over the line, with what was sent twice
    seconds: float  # from the end to the receipt
    proof: str
    is_same: bool  # the object's sum is that of the recording
    uploads: int


def measure(root: Path, *, seconds: int, bits_per_second: float) -> Found:
    """Record for so long, on a server that checks every sum if there is one here."""
    station = Station(root / "home")
    config = station.root / "config"
    config.mkdir(parents=True)
    (config / "nephos.toml").write_text(f'[recording]\npipeline = ""\n[web]\nport = {station.port}\n')
    with _serving(root / "there") as (port, keys, verify), proxy.proxying(port) as line:
        line.bytes_per_second = HEADROOM * bits_per_second / 8
        with air.Sender(bits_per_second) as sender:
            try:
                station.start()
                _prepare(station, line, keys, verify)
                storage.add_channel(station, "Early", group=sender.group, port=sender.port)
                return _record(station, line, seconds=seconds)
            finally:
                station.stop()


@contextlib.contextmanager
def _serving(folder: Path) -> Iterator[tuple[int, Mapping[str, Any], str]]:
    programs = swift.programs()
    if programs is None:
        with s3.serving(folder) as server:  # it checks no sums, and a read-back says nothing about this
            yield server.port, server.options(), "none"
        return
    with swift.serving(folder, programs) as strict:
        _make_bucket(strict)
        yield strict.port, strict.options(), "auto"


def _make_bucket(server: swift.Swift) -> None:
    tuning = base.Tuning(single_put_bytes=1, part_bytes=0, part_threads=1)
    opened = connection.open_("there", server.options(), s3.BUCKET, None, tuning)
    assert isinstance(opened, connection.S3Connection)
    assert opened._calls.ask_raw("PUT", "", {}, b"", signer.EMPTY_SHA256).status == 200
    opened.close()


def _prepare(station: Station, line: proxy.Proxy, keys: Mapping[str, Any], verify: str) -> None:
    chosen = ["--access-key", str(keys["access_key"]), "--secret-key", str(keys["secret_key"])]
    station.run("connection", "add", "cloud", "s3", "--endpoint", line.endpoint, *chosen)
    place = f"{s3.BUCKET}/shows"
    station.run("destination", "add", "cloud", "--connection", "cloud", "--base", place, "--verify", verify)
    station.run("watch", "add", "shows", "--sets", "--grow", "--to", "cloud")


def _record(station: Station, line: proxy.Proxy, *, seconds: int) -> Found:
    booking = station.json("record", "early", "--duration", f"{seconds}s")
    ends_at = clock.parse(booking["to_at"])
    waiting.until(lambda: clock.now() >= ends_at, seconds=seconds + 60, what="the recording to end")
    done = _acknowledged(station)
    receipt = waiting.until(lambda: _receipt(station), seconds=_PATIENCE_SECONDS, what="a receipt")
    recording = station.await_recording(["delivered"], seconds=_PATIENCE_SECONDS)
    file = next(one for one in recording["files"] if one["kind"] == "recording")
    return Found(
        recorded_bytes=file["size_bytes"],
        left_bytes=file["size_bytes"] - done,
        sent_bytes=line.passed_bytes,
        seconds=round((clock.parse(receipt["at"]) - ends_at).total_seconds(), 2),
        proof=receipt["proof"],
        is_same=receipt["sha256"] == file["sha256"],
        uploads=line.count("POST", "uploads"),
    )


def _receipt(station: Station) -> dict[str, Any] | None:
    """Of the recording itself, not of what is beside it."""
    found: list[dict[str, Any]] = station.json("transfer", "receipts")
    return next((one for one in reversed(found) if one["path"].endswith(".ts")), None)


def _acknowledged(station: Station) -> int:
    with contextlib.closing(sqlite3.connect(station.root / "databases" / "sync.db")) as db:
        return int(db.execute("SELECT coalesce(sum(bytes_done), 0) FROM paths").fetchone()[0])
