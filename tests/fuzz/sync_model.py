"""Random work in a watched folder, with everything going wrong; afterwards the far side equals the folder.

`python -m tests.fuzz.sync_model --runs 20 [--seed N] [--kind file|s3]`; each run prints its seed first.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.fakes import proxy as proxy_fake
from tests.fakes import s3, sync
from tests.fakes.proxy import Harm

MIB = 1 << 20
_HARMS = (Harm.CUT, Harm.REFUSE, Harm.FAIL, Harm.LOSE_ANSWER, Harm.ERROR_IN_200, Harm.STALL, Harm.TRUNCATE)
_CALM_SECONDS = 90.0
_SIZES = (0, 1, 100, 5_000, 70_000, 300_000, 1_000_000, 6_000_000, 12_000_000)
_WEIGHTS = (2, 2, 6, 6, 4, 3, 2, 1, 1)


class Diverged(AssertionError):
    """The far side is not what the folder is."""


@dataclass
class Run:
    """One run: a station, its folder, and a destination that may be asked for its content."""

    seed: int
    kind: str
    root: Path
    steps: int = 25
    dice: random.Random = field(init=False)
    done: list[str] = field(default_factory=list)
    harm: float = 0.0
    full: bool = False
    proxy: proxy_fake.Proxy | None = None
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)
        self.station = sync.Station(self.root / "home")
        self.inbox = self.root / "inbox"
        self.outside = self.root / "outside"
        self.there = self.root / "there"
        for folder in (self.inbox, self.outside, self.there):
            folder.mkdir(parents=True)

    # The story

    def play(self) -> None:
        with self._destination():
            self.process = self._spawn()
            try:
                for _ in range(self.steps):
                    self._act()
                    time.sleep(self.dice.choice((0, 0, 0.02, 0.1, 0.4)))
                self._be_calm()
            finally:
                sync.kill(self.process)
            self._judge_receipts()

    @contextlib.contextmanager
    def _destination(self) -> Iterator[None]:
        self.station.tables["sync"] = {
            "settle_seconds": 0.15,
            "rescan_seconds": 20,
            "single_put_bytes": 2 * MIB,
            "part_bytes": 5 * MIB,
            "part_threads": 2,
        }
        undo = self.dice.choice((0, 7))
        watch = {"mode": "mirror", "grace_seconds": 0, "most_deletions": 100_000, "most_deletions_percent": 100}
        self.station.watch("inbox", "there", folder=self.inbox, undo_days=undo, **watch)
        if self.kind == "file":
            self.station.connect("there", "file", str(self.there))
            yield
            return
        with s3.serving(self.root) as server, proxy_fake.proxying(server.port) as self.proxy:
            self.there = server.bucket / "in"
            self.proxy.judge = self._judge_request
            self.station.connect("there", "s3", "bench/in", server.options(endpoint=self.proxy.endpoint))
            yield

    def _judge_request(self, method: str, target: str) -> Harm:
        if self.full and method in {"PUT", "POST"}:
            return Harm.FULL
        return random.choice(_HARMS) if random.random() < self.harm else Harm.NONE

    def _spawn(self) -> subprocess.Popen[bytes]:
        return self.station.spawn(quiet=True)

    # What happens

    def _act(self) -> None:
        actions = {
            self._create: 6,
            self._append: 3,
            self._overwrite: 3,
            self._rename: 5,
            self._replace: 2,
            self._move_folder: 4,
            self._move_out: 2,
            self._move_in: 2,
            self._delete: 3,
            self._delete_folder: 1,
            self._burst: 1,
            self._swap: 1,
            self._kill: 2,
            self._harm: 2,
        }
        action = self.dice.choices(list(actions), list(actions.values()))[0]
        with contextlib.suppress(FileNotFoundError, IndexError):
            action()

    def _files(self) -> list[Path]:
        return sorted(path for path in self.inbox.rglob("*") if path.is_file() and path.name != ".nephos-watch")

    def _folders(self) -> list[Path]:
        return sorted(path for path in self.inbox.rglob("*") if path.is_dir())

    def _name(self) -> str:
        return self.dice.choice(("a", "b", "c", "ü d", "e.mp4", "f'%", "g")) + str(self.dice.randrange(6))

    def _place(self) -> Path:
        """Some name in some folder; no file where a folder is, and the reverse."""
        folder = self.dice.choice([self.inbox, *self._folders()[:6], self.inbox / self._name() / "in"])
        if any(part.is_file() for part in (folder, *folder.parents)):
            raise FileNotFoundError
        folder.mkdir(parents=True, exist_ok=True)
        return folder / self._name()

    def _content(self) -> bytes:
        return self.dice.randbytes(self.dice.choices(_SIZES, _WEIGHTS)[0])

    def _note(self, what: str, *paths: Path) -> None:
        self.done.append(" ".join([what, *(os.path.relpath(path, self.root) for path in paths)]))

    def _create(self) -> None:
        place = self._place()
        if not place.exists():
            place.write_bytes(self._content())
            self._note("create", place)

    def _append(self) -> None:
        place = self.dice.choice(self._files())
        with place.open("ab") as stream:
            stream.write(self._content())
        self._note("append", place)

    def _overwrite(self) -> None:
        place = self.dice.choice(self._files())
        place.write_bytes(self._content())
        self._note("overwrite", place)

    def _rename(self) -> None:
        place, new = self.dice.choice(self._files()), self._place()
        if not new.is_dir():
            place.rename(new)
            self._note("rename", place, new)

    def _replace(self) -> None:
        place = self.dice.choice(self._files())
        temporary = place.with_name(place.name + ".tmp")
        temporary.write_bytes(self._content())
        temporary.rename(place)
        self._note("replace", place)

    def _move_folder(self) -> None:
        folder, new = self.dice.choice(self._folders()), self._place()
        if not new.exists() and folder not in new.parents and folder != new:
            folder.rename(new)
            self._note("move folder", folder, new)

    def _move_out(self) -> None:
        thing = self.dice.choice([*self._files(), *self._folders()])
        new = self.outside / f"{len(self.done)} {thing.name}"
        thing.rename(new)
        self._note("move out", thing, new)

    def _move_in(self) -> None:
        thing, new = self.dice.choice(sorted(self.outside.iterdir())), self._place()
        if not new.exists():
            thing.rename(new)
            self._note("move in", thing, new)

    def _delete(self) -> None:
        place = self.dice.choice(self._files())
        place.unlink()
        self._note("delete", place)

    def _delete_folder(self) -> None:
        folder = self.dice.choice(self._folders())
        shutil.rmtree(folder)
        self._note("delete folder", folder)

    def _burst(self) -> None:
        folder = self.inbox / f"burst{len(self.done)}" / "deep"
        folder.mkdir(parents=True)
        for number in range(60):
            (folder / str(number)).write_bytes(self.dice.randbytes(200))
        self._note("burst", folder)

    def _swap(self) -> None:
        one, two = self.dice.sample(self._files(), 2) if len(self._files()) > 1 else (None, None)
        if one and two:
            between = self.inbox / "between.tmp"
            one.rename(between)
            two.rename(one)
            between.rename(two)
            self._note("swap", one, two)

    def _kill(self) -> None:
        assert self.process is not None
        sync.kill(self.process)
        self._note("kill -9")
        if self.dice.random() < 0.4:  # things happen while it is off
            self._act()
        self.process = self._spawn()

    def _harm(self) -> None:
        self.harm = self.dice.choice((0.0, 0.1, 0.3))
        self.full = self.dice.random() < 0.2
        self._note(f"harm {self.harm} full {self.full}")

    # What must be so in the end

    def _be_calm(self) -> None:
        self.harm, self.full = 0.0, False
        self.station.order("retry")
        deadline = time.monotonic() + _CALM_SECONDS
        patience = 3.0
        asked = time.monotonic()
        while (difference := self._difference()) or self._busy():
            assert self.process is not None
            if self.process.poll() is not None:
                raise Diverged(f"the engine ended with {self.process.returncode}")
            if time.monotonic() > deadline:
                raise Diverged(f"{difference[:5]} ... {self._busy()[:5]}")
            if time.monotonic() - asked > patience:
                self.station.order("retry")
                asked = time.monotonic()
            time.sleep(0.1)

    def _tree(self, root: Path) -> dict[str, str]:
        found = {}
        for path in root.rglob("*"):
            name = str(path.relative_to(root))
            if not name.startswith((".nephos-", "between.tmp")) and not name.endswith((".tmp", ".part")):
                with contextlib.suppress(FileNotFoundError, IsADirectoryError):
                    found[name] = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        return {name: digest for name, digest in found.items() if digest}

    def _difference(self) -> list[str]:
        here, there = self._tree(self.inbox), self._tree(self.there)
        return [
            f"{name}: {'differs' if name in here and name in there else 'missing' if name in here else 'too much'}"
            for name in sorted(here.keys() | there.keys())
            if here.get(name) != there.get(name)
        ]

    def _busy(self) -> list[str]:
        return [f"{path} is {state}" for path, state in self.station.states().items() if state != "delivered"]

    def _judge_receipts(self) -> None:
        """The newest receipt of each path is true of what is there."""
        there = self._tree(self.there)
        db = sqlite3.connect(self.station.home.sync_database)
        newest = db.execute("SELECT path, sha256, max(id) FROM receipts GROUP BY path").fetchall()
        db.close()
        told = {os.fsdecode(path): sha256 for path, sha256, _ in newest}
        wrong = [name for name, digest in there.items() if told.get(name) != digest]
        if wrong:
            raise Diverged(f"receipts are not true: {wrong[:5]}")


def play(*, seed: int, kind: str, steps: int = 25) -> None:
    """One run in a folder of its own, which is kept if it fails. Raises Diverged."""
    root = Path(tempfile.mkdtemp(prefix=f"fuzz-{kind}-{seed}-"))
    run = Run(seed=seed, kind=kind, root=root, steps=steps)
    try:
        run.play()
    except BaseException as error:
        story = "\n  ".join(run.done)
        raise Diverged(f"seed {seed} on {kind} in {root}: {error}\n  {story}") from error
    shutil.rmtree(root)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--kind", choices=["file", "s3"], default=None)
    parser.add_argument("--steps", type=int, default=25)
    chosen = parser.parse_args()
    first = random.SystemRandom().randrange(1 << 31) if chosen.seed is None else chosen.seed
    failed = 0
    for number in range(chosen.runs):
        kind = chosen.kind or ("file", "s3")[number % 2]
        began = time.monotonic()
        print(f"seed {first + number} on {kind}", end=" ", flush=True)
        try:
            play(seed=first + number, kind=kind, steps=chosen.steps)
            print(f"good in {time.monotonic() - began:.1f} s", flush=True)
        except Diverged as error:
            failed += 1
            print(f"DIVERGED: {error}", flush=True)
    print(f"{chosen.runs - failed} of {chosen.runs} runs are good")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
