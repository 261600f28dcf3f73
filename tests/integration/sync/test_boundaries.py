"""kill -9 right before and right after every commit of the journal, none left out."""

from __future__ import annotations

import contextlib
import hashlib
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from nephos.sync import queries
from tests.fakes import sync
from tests.fakes.s3 import S3Server
from tests.fakes.sync import Station

MIB = 1 << 20
SEED = os.urandom(12 * MIB)
WANTED = {"big": SEED, "small": SEED[:1000], "moved/b": SEED[:5000]}
FIRST = {"moving": SEED[:5000], "leaves": SEED[:300]}


def fill(inbox: Path) -> None:
    """A folder that moves, a file that goes, a big one and a small one that come."""
    (inbox / "moved").mkdir()
    (inbox / "moving").rename(inbox / "moved" / "b")
    (inbox / "leaves").unlink()
    for name in ("big", "small"):
        (inbox / name).write_bytes(WANTED[name])


def before(station: Station, inbox: Path) -> None:
    for name, content in FIRST.items():
        (inbox / name).write_bytes(content)
    with station.running():
        station.until_delivered(*FIRST)
    fill(inbox)


def tree(place: Path) -> dict[str, bytes]:
    found = {str(path.relative_to(place)): path for path in place.rglob("*") if path.is_file()}
    with contextlib.suppress(FileNotFoundError):  # it went while we looked
        return {name: path.read_bytes() for name, path in found.items() if not name.startswith(".")}
    return {}


def is_done(station: Station, there: Path) -> bool:
    return tree(there) == WANTED and set(station.states().values()) == {"delivered"} and len(station.states()) == 3


def settings(station: Station, inbox: Path) -> None:
    station.tables["sync"] = {
        "settle_seconds": 0.05,
        "rescan_seconds": 60,
        "single_put_bytes": 2 * MIB,
        "part_bytes": 5 * MIB,
        "part_threads": 2,
    }
    watch = {"mode": "mirror", "grace_seconds": 0, "undo_days": 0, "most_deletions_percent": 100}
    station.watch("inbox", "there", folder=inbox, **watch)


def play(root: Path, connect: Callable[[Station], Path], boundary: str) -> bool:
    """One station whose engine is killed at a boundary and started again; it ends with everything where it belongs.

    False if there was no such boundary: everything was done before so many commits.
    """
    (root / "inbox").mkdir(parents=True)
    station = Station(root / "home")
    settings(station, root / "inbox")
    there = connect(station)
    before(station, root / "inbox")
    process = station.spawn(boundary=boundary, quiet=True)
    killed = _dies(process, lambda: is_done(station, there))
    if killed:
        process = station.spawn(quiet=True)
    try:
        station.until(lambda: is_done(station, there), seconds=30)
    finally:
        sync.kill(process)
    true = {path: hashlib.sha256(content).hexdigest() for path, content in tree(there).items()}
    newest = {receipt.path: receipt.sha256 for receipt in reversed(queries.receipts(station.home))}
    assert {path: newest[path] for path in true} == true
    return killed


def _dies(process: subprocess.Popen[bytes], done: Callable[[], bool]) -> bool:
    """Whether it is killed before everything is done."""
    deadline = time.monotonic() + 120
    while process.poll() is None:
        assert time.monotonic() < deadline, "it neither ends nor is it killed"
        if done():
            time.sleep(0.3)
            return process.poll() is not None
        time.sleep(0.02)
    return True


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_kill_9_at_every_boundary_of_the_journal_on_s3(tmp_path: Path, s3_server: S3Server) -> None:
    def connect(station: Station) -> Path:
        base = station.root.parent.name
        station.connect("there", "s3", f"bench/{base}", s3_server.options())
        return s3_server.bucket / base

    step = int(os.environ.get("NEPHOS_TEST_EVERY_BOUNDARY", "1"))
    number = 0
    killed = True
    while killed:
        number += step
        for when in ("before", "after"):
            killed = play(tmp_path / f"{when}-{number}", connect, f"{when}:{number}")

    assert number > 8
