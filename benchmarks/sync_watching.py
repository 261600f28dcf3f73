"""How sync takes in many files: a first look, a second look, and a burst while it watches.

    python benchmarks/sync_watching.py [--rounds N] [--divide N]

The looks are those of the engine with its journal, until every row is durable, against a bare loop that does nothing
but scandir, stat and insert into SQLite; the burst is of 50,000 files in 1,000 fresh folders, against `watchfiles`.
Each contender is a process of its own that tells its time and CPU without the start of the interpreter.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.fakes.sync import Station

from nephos.lib import clock
from nephos.sync import commands, engine, inotify, intake, mappings, scanner
from nephos.sync.journal import Journal

FILES, IN_FOLDER = 200_000, 100
BURST, IN_BURST_FOLDER = 50_000, 50
QUIET_SECONDS = 3.0  # after the last news; watchfiles gathers for 1.6 seconds before it tells
PATIENCE_SECONDS = 120.0


def main() -> None:
    """Measure and print, or be one of the contenders."""
    wanted = argparse.ArgumentParser()
    wanted.add_argument("--rounds", type=int, default=3)
    wanted.add_argument("--divide", type=int, default=1)
    wanted.add_argument("--be", default="", help=argparse.SUPPRESS)
    wanted.add_argument("--folder", default="", help=argparse.SUPPRESS)
    wanted.add_argument("--files", type=int, default=0, help=argparse.SUPPRESS)
    chosen = wanted.parse_args()
    if chosen.be:
        print(json.dumps(CONTENDERS[chosen.be](Path(chosen.folder), chosen.files)))
        return
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
    folder = Path(tempfile.mkdtemp(prefix="nephos-bench-", dir=memory))
    try:
        looks(folder, FILES // chosen.divide, chosen.rounds)
        bursts(folder, BURST // chosen.divide, chosen.rounds)
    finally:
        shutil.rmtree(folder)


# Looks


def looks(folder: Path, count: int, rounds: int) -> None:
    """A first and a second look through one tree."""
    make(folder / "tree", count, IN_FOLDER)
    bare: list[dict[str, float]] = []
    own: list[dict[str, float]] = []
    for _ in range(rounds):
        bare.append(be("bare", folder, count))
        own.append(be("engine", folder, count))
    shutil.rmtree(folder / "tree")
    loop = middle(bare, "seconds")
    label = f"{count:,} files"
    figure(f"first look through {label}", middle(own, "first"), "s", loop, 1.4)
    figure(f"second look through {label}", middle(own, "second"), "s", loop, 1.2)
    per_file = middle(own, "bytes_per_file")
    line: dict[str, object] = {
        "name": f"memory of {label}, a file",
        "value": round(per_file),
        "unit": "B",
        "peer": None,
    }
    print(json.dumps({**line, "ratio": None, "goal": 2048, "met": per_file <= 2048}), flush=True)


def bare_loop(folder: Path, count: int) -> dict[str, float]:
    """What the system and SQLite cost by themselves."""
    place = folder / "bare.db"
    database = sqlite3.connect(place, isolation_level=None)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    database.execute("CREATE TABLE files (path BLOB PRIMARY KEY, bytes INTEGER, mtime INTEGER, inode INTEGER)")
    began = clock.monotonic()
    database.execute("BEGIN")
    database.executemany("INSERT INTO files VALUES (?, ?, ?, ?)", walk(os.fsencode(folder / "tree")))
    database.execute("COMMIT")
    seconds = clock.monotonic() - began
    assert database.execute("SELECT count(*) FROM files").fetchone()[0] == count
    database.close()
    for left in folder.glob("bare.db*"):
        left.unlink()
    return {"seconds": seconds}


def walk(root: bytes) -> Iterator[tuple[bytes, int, int, int]]:
    folders = [root]
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                else:
                    status = entry.stat(follow_symlinks=False)
                    yield entry.path, status.st_size, status.st_mtime_ns, status.st_ino


def engine_looks(folder: Path, count: int) -> dict[str, float]:
    """The engine's intake with its watches, its patterns and its journal."""
    home = Path(tempfile.mkdtemp(prefix="home-", dir=folder))
    station = Station(home)
    station.connect("there", "file", str(home / "there"))
    station.watch("source", "there", folder=folder / "tree", settle_seconds=3600)
    station.write()
    settings = station.loaded.settings
    rules = mappings.watches(settings)
    targets = mappings.targets(settings, rules)
    journal = Journal(station.home.sync_database)
    identities = {("source", "there"): mappings.identity(rules["source"], targets["there"])}
    journal.commit(lambda db: commands.renew_mappings(db, identities))
    engine.collect_rarely()
    taking = intake.FolderIntake(rules["source"], journal, station.home.plugins)
    before = memory_bytes()
    began = clock.monotonic()
    taking.step()
    known = journal.commit(lambda db: db.execute("SELECT count(*) FROM paths").fetchone()[0])
    first = clock.monotonic() - began
    assert known == count, known
    used = memory_bytes() - before
    began = clock.monotonic()
    taking.rescan()
    taking.step()
    journal.commit(lambda db: db.execute("SELECT 1").fetchone())
    second = clock.monotonic() - began
    used = max(used, memory_bytes() - before)
    taking.close()
    journal.close()
    shutil.rmtree(home)
    return {"first": first, "second": second, "bytes_per_file": used / count}


def memory_bytes() -> int:
    """The most that this process ever had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


# Bursts


def bursts(folder: Path, count: int, rounds: int) -> None:
    """Files in fresh folders as fast as they can be made, while somebody watches."""
    own: list[dict[str, float]] = []
    others: list[dict[str, float]] = []
    for _ in range(rounds):
        own.append(be("watcher", folder, count))
        others.append(be("watchfiles", folder, count))
    lost = sum(run["lost"] for run in own)
    label = f"burst of {count:,} files"
    figure(f"{label}: CPU of the watcher", middle(own, "cpu"), "s", middle(others, "cpu"), 1.5)
    line = {"name": f"{label}: lost in {rounds} rounds", "value": lost, "unit": "files"}
    theirs = sum(run["lost"] for run in others)
    print(json.dumps({**line, "peer": theirs, "ratio": None, "goal": 0, "met": not lost}), flush=True)


def own_watcher(folder: Path, count: int) -> dict[str, float]:
    """Our news of folders, and a look into each that was named: as the engine does, ten times a second."""
    root = folder / "burst"
    root.mkdir()
    watching = inotify.Inotify(os.fsencode(root))
    found: set[bytes] = set()

    def look() -> None:
        hints = watching.take()
        for each in hints.folders:
            found.update(scanner.scan(os.fsencode(root), below=each, deep=False).found)
        if hints.overflow:
            found.update(scanner.scan(os.fsencode(root)).found)

    result = watch(root, count, found, look)
    watching.close()
    return result


def watchfiles_watcher(folder: Path, count: int) -> dict[str, float]:
    """The library as its manual says; a thread of its own takes what it gives."""
    import watchfiles

    root = folder / "burst"
    root.mkdir()
    found: set[bytes] = set()
    stop = threading.Event()

    def take() -> None:
        for changes in watchfiles.watch(root, stop_event=stop, rust_timeout=200, yield_on_timeout=True):
            found.update(os.fsencode(path) for _, path in changes if "/file " in path)

    thread = threading.Thread(target=take)
    thread.start()
    time.sleep(1)  # it says nowhere when it is ready
    result = watch(root, count, found, lambda: None)
    stop.set()
    thread.join()
    return result


def watch(root: Path, count: int, found: set[bytes], look: Callable[[], None]) -> dict[str, float]:
    """CPU from before the burst until all is found, or nothing has come for a while."""
    began = time.process_time()
    making = subprocess.Popen(
        [sys.executable, __file__, "--be", "maker", "--folder", str(root), "--files", str(count)],
        stdout=subprocess.DEVNULL,
    )
    limit = clock.monotonic() + PATIENCE_SECONDS
    moved_at, known = clock.monotonic(), 0
    while len(found) < count and clock.monotonic() < limit:
        time.sleep(0.1)
        look()
        if len(found) != known or making.poll() is None:
            moved_at, known = clock.monotonic(), len(found)
        elif clock.monotonic() - moved_at > QUIET_SECONDS:
            break
    used = time.process_time() - began
    making.wait()
    shutil.rmtree(root)
    return {"cpu": used, "lost": count - len(found)}


def burst(root: Path, count: int) -> dict[str, float]:
    """Makes the files."""
    make(root, count, IN_BURST_FOLDER)
    return {}


CONTENDERS: dict[str, Callable[[Path, int], dict[str, float]]] = {
    "bare": bare_loop,
    "engine": engine_looks,
    "watcher": own_watcher,
    "watchfiles": watchfiles_watcher,
    "maker": burst,
}


# What all need


def make(tree: Path, count: int, in_folder: int) -> None:
    """Empty files, for it is their number that counts."""
    for number in range(count):
        place = tree / f"folder {number // in_folder:04}"
        if number % in_folder == 0:
            place.mkdir(parents=True)
        os.close(os.open(place / f"file {number:06}", os.O_CREAT | os.O_WRONLY, 0o644))


def be(name: str, folder: Path, count: int) -> dict[str, float]:
    """One contender in a process of its own."""
    argv = [sys.executable, __file__, "--be", name, "--folder", str(folder), "--files", str(count)]
    told: dict[str, float] = json.loads(subprocess.run(argv, check=True, capture_output=True, text=True).stdout)
    return told


def middle(runs: list[dict[str, float]], name: str) -> float:
    return statistics.median(run[name] for run in runs)


def figure(name: str, value: float, unit: str, against: float, goal: float) -> None:
    """One JSON line."""
    ratio = value / against
    line: dict[str, Any] = {"name": name, "value": round(value, 3), "unit": unit, "peer": round(against, 3)}
    print(json.dumps({**line, "ratio": round(ratio, 2), "goal": goal, "met": ratio <= goal}), flush=True)


if __name__ == "__main__":
    main()
