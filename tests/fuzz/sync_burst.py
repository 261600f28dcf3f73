"""Many files in fresh folders, as fast as the disk allows, while sync watches: none may be lost.

`python -m tests.fuzz.sync_burst --files 50000`; fifty files to a folder.
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
    wanted = parser.parse_args().files
    with tempfile.TemporaryDirectory(prefix="burst-") as root:
        station = sync.Station(Path(root) / "home")
        station.tables["sync"] = {"settle_seconds": 0.2, "rescan_seconds": 3600}
        inbox = Path(root) / "inbox"
        inbox.mkdir()
        station.connect("shelf", "file", str(Path(root) / "shelf"), verify="none")
        station.watch("inbox", "shelf", folder=inbox)
        process = station.spawn(quiet=True)
        station.until(lambda: station.beat, seconds=30)
        began = time.monotonic()
        for number in range(wanted):
            if number % _TO_A_FOLDER == 0:
                folder = inbox / f"f{number // _TO_A_FOLDER}" / "deep"
                folder.mkdir(parents=True)
            (folder / str(number)).write_bytes(b"%d" % number)
        written = time.monotonic() - began
        seen = _until_seen(station, wanted)
        sync.kill(process)
    print(f"{wanted} files written in {written:.1f} s, {seen} seen, {wanted - seen} lost")
    return 0 if seen == wanted else 1


def _until_seen(station: sync.Station, wanted: int) -> int:
    """How many paths are known, when no more come."""
    seen, at = 0, time.monotonic()
    while time.monotonic() - at < 20 and seen < wanted:
        db = sqlite3.connect(f"{station.home.sync_database.as_uri()}?mode=ro", uri=True)
        now = db.execute("SELECT count(*) FROM paths").fetchone()[0]
        db.close()
        if now != seen:
            seen, at = now, time.monotonic()
        time.sleep(0.2)
    return int(seen)


if __name__ == "__main__":
    sys.exit(main())
