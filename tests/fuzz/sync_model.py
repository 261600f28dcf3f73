"""Random work in watched folders with everything going wrong; afterwards each far side equals its folder.

`python -m tests.fuzz.sync_model --runs 200 [--seed N] [--kinds file,s3,sftp]`. Twenty runs make a round: twenty folders
and destinations of one station, whose engine is killed, stopped and started again for all of them at once.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tests.fakes import sync
from tests.fuzz import far, hooks
from tests.fuzz.folder import Folder

_KIB = 1 << 10
_CALM_SECONDS = 240.0
_PATIENCE_SECONDS = 3.0
_PAUSES = (0, 0, 0.05, 0.2, 0.6)
_STEPS_OF_CLOCK = (-86_400, -3_600, -300, 300, 3_600, 86_400)
_TRUE_ENOUGH = (-120, 0, 0, 120)  # S3 refuses whose clock is off by more than a quarter of an hour
_TROUBLES = ("", "", "", "ENOSPC", "EIO", "EDQUOT")


class Diverged(AssertionError):
    """A far side is not what its folder is."""


@dataclass
class Run:
    """One folder and its destination."""

    name: str
    folder: Folder
    there: far.Far
    mode: str

    def difference(self) -> list[str]:
        """What is not there as it is here; in mode keep there may be more."""
        here, there = far.tree(self.folder.inbox), self.there.tree()
        return [
            f"{name!r} {'is too much' if name not in here else 'differs' if name in there else 'is missing'}"
            for name in sorted(here.keys() | there.keys())
            if here.get(name) != there.get(name) and (name in here or self.mode == "mirror")
        ]


@dataclass
class Round:
    """Several runs on one station."""

    seed: int
    kinds: Sequence[str]
    root: Path
    steps: int
    dice: random.Random = field(init=False)
    runs: list[Run] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)
        self.station = sync.Station(self.root / "home")
        self.station.tables["logging"] = {"level": "info"}
        self.station.tables["sync"] = {
            "settle_seconds": 0.15,
            "rescan_seconds": 20,
            "single_put_bytes": 512 * _KIB,
            "part_bytes": 256 * _KIB,
            "part_threads": 2,
        }
        self.clock = self.root / "clock"
        self.clock.write_text("0")

    # The story

    def play(self) -> str:
        """What it came to, in words. Raises Diverged."""
        with contextlib.ExitStack() as stack:
            servers = stack.enter_context(far.serving(self.root))
            self._set_up(servers, stack)
            self._hurt()
            self._begin()
            try:
                for _ in range(self.steps):
                    self._step()
                self._be_calm()
                self._verify()
            finally:
                self._end()
            self._judge(servers)
            killed = sum(event.startswith("kill") for event in self.events)
            broken = sum(line.broken for line in servers.wires)
            hurt = sum(seen.harm is not far.Harm.NONE for seen in servers.proxy.seen)
            seen = len(servers.proxy.seen)
        return f"killed {killed}, requests hurt {hurt} of {seen}, lines broken {broken}, parts {servers.parts()}"

    def _set_up(self, servers: far.Servers, stack: contextlib.ExitStack) -> None:
        for number, kind in enumerate(self.kinds):
            name = f"{kind}{number}"
            there = servers.far(kind, name, stack)
            dice = random.Random(f"{self.seed}/{number}")
            mode = dice.choice(("mirror", "mirror", "mirror", "keep"))
            # rclone keeps objects in folders; and in mode keep a folder that is full there gives way to no file.
            apart = kind == "s3" or mode == "keep"
            folder = Folder(dice, self.root / name, any_bytes=kind != "s3", apart=apart)
            there.connect(self.station, name)
            self.station.tables["destination"][name]["verify"] = dice.choice(("auto", "auto", "read-back"))
            self.station.watch(
                name,
                name,
                folder=folder.inbox,
                mode=mode,
                undo_days=dice.choice((0, 7)),
                grace_seconds=0,
                most_deletions=100_000,
                most_deletions_percent=100,
            )
            self.runs.append(Run(name, folder, there, mode))

    def _step(self) -> None:
        for run in self.dice.sample(self.runs, len(self.runs)):
            run.folder.act()
        events = {
            self._kill: 16,
            self._stop: 2,
            self._hurt: 20,
            self._step_clock: 6,
            self._pause: 4,
            self._rescan: 2,
            self._nothing: 60,
        }
        self.dice.choices(list(events), list(events.values()))[0]()
        time.sleep(self.dice.choice(_PAUSES))

    # What happens

    def _begin(self) -> None:
        trouble = {"NEPHOS_TEST_HOOKS": hooks.__name__, "NEPHOS_FUZZ_CLOCK": str(self.clock)}
        before = self.station.beat
        self.process = self.station.spawn(quiet=True, environment=trouble)
        if self.dice.random() < 0.7:  # else it may be killed before it has begun
            deadline = time.monotonic() + 20
            while self.station.beat == before and time.monotonic() < deadline:
                time.sleep(0.05)

    def _end(self) -> None:
        assert self.process is not None
        sync.kill(self.process)

    def _note(self, what: str) -> None:
        self.events.append(what)
        for run in self.runs:
            run.folder.note(what)

    def _nothing(self) -> None:
        pass

    def _kill(self) -> None:
        self._end()
        self._note("kill -9")
        self._while_it_is_off()

    def _stop(self) -> None:
        assert self.process is not None
        self.process.terminate()
        code = self.process.wait(timeout=30)
        if code not in {0, -signal.SIGTERM}:  # it is not heard before the process has begun
            raise Diverged(f"a polite stop ended with {code}")
        self._note("stop")
        self._while_it_is_off()

    def _while_it_is_off(self) -> None:
        for run in self.runs:
            for _ in range(self.dice.choice((0, 0, 1, 3))):
                run.folder.act()
        self._begin()

    def _hurt(self) -> None:
        for run in self.dice.sample(self.runs, len(self.runs) // 2):
            often, trouble = self.dice.choice((0.0, 0.1, 0.3, 0.6)), self.dice.choice(_TROUBLES)
            run.there.hurt(often, trouble)
            run.folder.note(f"harm {often} {trouble}")

    def _step_clock(self) -> None:
        self._set_clock(self.dice.choice(_STEPS_OF_CLOCK))

    def _set_clock(self, seconds: int) -> None:
        fresh = self.clock.with_suffix(".new")
        fresh.write_text(str(seconds))
        fresh.replace(self.clock)
        self._note(f"the clock is off by {seconds} s")

    def _pause(self) -> None:
        run = self.dice.choice(self.runs)
        kind = self.dice.choice(("pause", "resume"))
        self.station.order(kind, watch=run.name)
        run.folder.note(kind)

    def _rescan(self) -> None:
        self.station.order("rescan")

    # What must be so in the end

    def _be_calm(self) -> None:
        for run in self.runs:
            run.there.hurt(0.0, "")
        self._set_clock(self.dice.choice(_TRUE_ENOUGH))
        self.station.order("resume")
        self._until(self._unequal)
        left = "SELECT destination, handle FROM leftovers WHERE item NOT IN"
        self._until(lambda: self._ask(f"{left} (SELECT id FROM paths WHERE observed IS NOT NULL)"))

    def _verify(self) -> None:
        """The station itself reads one run of each kind again; the others' receipts are judged from outside."""
        for run in {run.there.kind: run for run in self.runs}.values():
            self.station.order("verify", watch=run.name)
        self._until(lambda: self._ask("SELECT path, state FROM recalls WHERE state = 'open'"))
        if failed := self._ask("SELECT destination, CAST(path AS TEXT), cause FROM recalls WHERE state = 'failed'"):
            raise Diverged(f"receipts are not true: {failed}")

    def _until(self, left: Callable[[], list[str]]) -> None:
        deadline = time.monotonic() + _CALM_SECONDS
        asked = 0.0
        while unlike := self._ask("SELECT kind FROM orders WHERE done_at IS NULL") or left():
            assert self.process is not None
            if self.process.poll() is not None:
                raise Diverged(f"the engine ended with {self.process.returncode}")
            if time.monotonic() > deadline:
                raise Diverged(f"{len(unlike)} left: {unlike[:8]}")
            if time.monotonic() - asked > _PATIENCE_SECONDS:
                self.station.order("retry")
                asked = time.monotonic()
            time.sleep(0.2)

    def _unequal(self) -> list[str]:
        """Rows that are not done, else what differs; both must be empty in one look."""
        busy = "SELECT destination || ' ' || CAST(path AS TEXT), state, cause FROM paths WHERE state != 'delivered'"
        return self._ask(busy) or [f"{run.name}: {each}" for run in self.runs for each in run.difference()]

    def _judge(self, servers: far.Servers) -> None:
        if repeated := servers.repeated():
            raise Diverged(f"parts that were acknowledged went again: {repeated[:5]}")
        newest = "SELECT destination, path, sha256, max(id) FROM receipts GROUP BY destination, path"
        with contextlib.closing(sqlite3.connect(self.station.home.sync_database)) as db:
            told = {(row[0], os.fsdecode(row[1])): row[2] for row in db.execute(newest)}
        wrong = [
            f"{run.name}: {name!r}"
            for run in self.runs
            for name, digest in run.there.tree().items()
            if run.mode == "mirror" and told.get((run.name, name)) != digest
        ]
        if wrong:
            raise Diverged(f"receipts are not true: {wrong[:5]}")
        # A small file that is killed twice on SFTP may leave a hidden name that no journal knows; nobody reads it.
        tidy = [run for run in self.runs if run.there.kind != "sftp"]
        if left := [f"{run.name}: {each!r}" for run in tidy for each in far.unfinished(run.there.place)]:
            raise Diverged(f"left lying about: {left[:5]}")

    def _ask(self, question: str) -> list[str]:
        with contextlib.closing(sqlite3.connect(self.station.home.sync_database, timeout=20)) as db:
            db.text_factory = lambda raw: raw.decode(errors="backslashreplace")
            return [" ".join(map(str, row)) for row in db.execute(question).fetchmany(50)]


def play(*, seed: int, kinds: Sequence[str], steps: int = 25) -> str:
    """One round in a folder of its own, which is kept if it fails; what it came to. Raises Diverged."""
    root = Path(tempfile.mkdtemp(prefix=f"fuzz-{seed}-"))
    played = Round(seed=seed, kinds=kinds, root=root, steps=steps)
    try:
        told = played.play()
    except BaseException as error:
        for run in played.runs:
            (root / f"{run.name}.story").write_text("\n".join(run.folder.done), errors="surrogateescape")
        raise Diverged(f"seed {seed} in {root}: {error}") from error
    shutil.rmtree(root)
    return told


def _timed(seed: int, kinds: Sequence[str], steps: int) -> tuple[bool, str]:
    began = time.monotonic()
    try:
        told, good = play(seed=seed, kinds=kinds, steps=steps), True
    except Diverged as error:
        told, good = f"DIVERGED: {error}", False
    return good, f"seed {seed}, {len(kinds)} runs, {time.monotonic() - began:.1f} s: {told}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--kinds", default=",".join(far.KINDS))
    parser.add_argument("--steps", type=int, default=25)
    parser.add_argument("--round", type=int, default=20, help="runs in a round")
    parser.add_argument("--jobs", type=int, default=2, help="rounds at a time")
    chosen = parser.parse_args()
    first = random.SystemRandom().randrange(1 << 31) if chosen.seed is None else chosen.seed
    named = chosen.kinds.split(",")
    kinds = [named[number % len(named)] for number in range(chosen.runs)]
    rounds = [kinds[start : start + chosen.round] for start in range(0, len(kinds), chosen.round)]
    good = 0
    with ProcessPoolExecutor(chosen.jobs) as pool:
        waiting = [pool.submit(_timed, first + n, each, chosen.steps) for n, each in enumerate(rounds)]
        for each, future in zip(rounds, waiting, strict=True):
            fine, told = future.result()
            good += len(each) if fine else 0
            print(told, flush=True)
    print(f"{good} of {chosen.runs} runs are good")
    return 0 if good == chosen.runs else 1


if __name__ == "__main__":
    sys.exit(main())
