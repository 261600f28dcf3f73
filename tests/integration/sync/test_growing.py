"""Files that go up while they are still being written."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from nephos.sync import database, queries
from tests.fakes import proxy as proxy_fake
from tests.fakes import sync
from tests.fakes.s3 import S3Server
from tests.fakes.sync import Station

MIB = 1 << 20


@contextmanager
def writing(path: Path) -> Iterator[object]:
    with path.open("ab", buffering=0) as stream:
        yield stream


def noted(station: Station, sql: str) -> list[tuple[object, ...]]:
    with database.reading(station.home.sync_database) as db:
        return [tuple(row) for row in db.execute(sql).fetchall()] if db is not None else []


def sent(station: Station) -> int:
    """How many bytes of parts are noted as acknowledged."""
    return sum(transfer.bytes_done for transfer in queries.transfers(station.home))


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_parts_go_up_behind_the_writer_and_the_rest_when_it_is_done(
    station: Station, inbox: Path, s3_server: S3Server
) -> None:
    station.connect("cloud", "s3", "bench/in", s3_server.options())
    station.watch("inbox", "cloud", folder=inbox, grow=True)
    station.tables["sync"]["part_bytes"] = 5 * MIB
    content = os.urandom(18 * MIB)

    with station.running(), (inbox / "show.ts").open("ab", buffering=0) as stream:
        for at in range(0, 17 * MIB, MIB):
            stream.write(content[at : at + MIB])
            time.sleep(0.02)
        station.until(lambda: sent(station) >= 15 * MIB)
        (growing,) = queries.transfers(station.home)
        assert growing.state == "sending"
        assert "still being written" in growing.cause
        assert (growing.parts_done, growing.parts) in {(3, 4), (4, 4)}
        assert not (s3_server.bucket / "in" / "show.ts").exists()
        stream.write(content[17 * MIB :])
        stream.close()
        station.until_delivered("show.ts")

    assert (s3_server.bucket / "in" / "show.ts").read_bytes() == content
    (receipt,) = queries.receipts(station.home)
    assert receipt.sha256 == digest(content)
    assert noted(station, "SELECT * FROM uploads") == []
