"""Many files: as fast as the disk allows while sync watches, or there before it begins and it is killed while it looks.

`python -m tests.fuzz.sync_burst --files 50000 [--kills 5]`; fifty files to a folder; none may be lost.
"""

from __future__ import annotations

import argparse
import sqlite3
import sys
import tempfile
import time
from pathlib import Path

from tests.fakes import sync

_TO_A_FOLDER = 50


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=50_000)
    parser.add_argument("--kills", type=int, default=0)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="burst-") as root:
        story = killed_in_the_first_look if chosen.kills else burst
        lost, told = story(Path(root), chosen.files, *([chosen.kills] if chosen.kills else []))
    print(told)
    return 1 if lost else 0


def burst(root: Path, wanted: int) -> tuple[int, str]:
    """How many files were lost that came while it watched."""
    station, inbox = _station(root)
    process = station.spawn(quiet=True)
    station.until(lambda: station.beat, seconds=60)
    began = time.monotonic()
    _write(inbox, wanted)
    written = time.monotonic() - began
    seen = _until_seen(station, wanted)
    sync.kill(process)
    return wanted - seen, f"{wanted} files written in {written:.1f} s, {seen} seen, {wanted - seen} lost"


def killed_in_the_first_look(root: Path, wanted: int, kills: int) -> tuple[int, str]:
    """How many files were lost that were there before, when it was killed each time that it knew some more."""
    station, inbox = _station(root)
    _write(inbox, wanted)
    at = []
    for number in range(kills):
        process = station.spawn(quiet=True)
        edge = wanted * number // (kills + 1)
        station.until(lambda edge=edge: _count(station) > edge, seconds=120)  # type: ignore[misc]
        sync.kill(process)
        at.append(_count(station))
    process = station.spawn(quiet=True)
    seen = _until_seen(station, wanted)
    sync.kill(process)
    return wanted - seen, f"{wanted} files, killed when {at} were known; {seen} seen, {wanted - seen} lost"


def _station(root: Path) -> tuple[sync.Station, Path]:
    station = sync.Station(root / "home")
    station.tables["sync"] = {"settle_seconds": 0.2, "rescan_seconds": 3600}
    inbox = root / "inbox"
    inbox.mkdir()
    station.connect("shelf", "file", str(root / "shelf"), verify="none")
    station.watch("inbox", "shelf", folder=inbox)
    return station, inbox


def _write(inbox: Path, wanted: int) -> None:
    for number in range(wanted):
        if number % _TO_A_FOLDER == 0:
            folder = inbox / f"f{number // _TO_A_FOLDER}" / "deep"
            folder.mkdir(parents=True)
        (folder / str(number)).write_bytes(b"%d" % number)


def _count(station: sync.Station) -> int:
    try:
        db = sqlite3.connect(f"{station.home.sync_database.as_uri()}?mode=ro", uri=True, timeout=20)
    except sqlite3.OperationalError:
        return 0  # not made yet
    try:
        return int(db.execute("SELECT count(*) FROM paths").fetchone()[0])
    except sqlite3.OperationalError:
        return 0
    finally:
        db.close()


def _until_seen(station: sync.Station, wanted: int) -> int:
    """How many paths are known, when no more come."""
    seen, at = 0, time.monotonic()
    while time.monotonic() - at < 60 and seen < wanted:
        now = _count(station)
        if now != seen:
            seen, at = now, time.monotonic()
        time.sleep(0.2)
    return seen


if __name__ == "__main__":
    sys.exit(main())
