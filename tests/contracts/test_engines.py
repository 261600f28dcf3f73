"""One suite for every engine beneath the farm, with real processes and a ledger in memory."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from nephos.farm import errors, ledger
from nephos.farm.engines import base, dask, local
from nephos.lib import ids
from tests.fakes import ledger as fakes
from tests.support import farm, waiting

QUICK = farm.template({"Step": 'print("hello", flush=True); print("openjd_progress: 30"); done(make("a.txt", "a"))'})
LONG = farm.template({"Step": farm.STUBBORN})


@dataclass
class Bench:
    """An engine with two slots, and the ledger that its workers talk to."""

    engine: base.Engine
    book: fakes.MemoryLedger
    folder: Path
    lease: float = 30

    def dispatch(self, template: str, *, worker: str = "", lease: float = 30) -> str:
        attempt = ids.new()
        slots = self.engine.free_slots()
        worker = worker or max(slots, key=lambda name: slots[name].free)
        place = str(self.folder / ".attempts" / attempt)
        parameters = {"Folder": str(self.folder)}
        self.book.add(
            ledger.Assignment(attempt, "job", "job", "Step", 0, template, parameters, place, lease), worker=worker
        )
        self.engine.submit(attempt, worker=worker)
        return attempt

    def free(self) -> int:
        return sum(slots.free for slots in self.engine.free_slots().values())

    def wait(self, attempt: str, state: str, *, seconds: float = 20) -> fakes.Row:
        row = self.book.rows[attempt]
        waiting.until(lambda: row.state == state, seconds=seconds, what=f"{state} (it is {row.state})")
        return row

    def pids(self, count: int = 2) -> list[int]:
        return waiting.until(
            lambda: (found := farm.pids(self.folder)) and len(found) == count and found, seconds=20, what="the pids"
        )


def dead(pids: list[int], *, seconds: float) -> None:
    waiting.until(lambda: not any(map(farm.alive, pids)), seconds=seconds, what="the death of the tree")


@pytest.fixture(params=["local", "dask"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    if request.param == "local":
        book = fakes.MemoryLedger()
        engine = local.Local(book, name="here", slots=2, mark=str(tmp_path))
        engine.start()
        yield Bench(engine, book, tmp_path)
        engine.stop()
    else:
        with dask_bench(tmp_path) as made:
            yield made.bench


@dataclass
class DaskBench:
    bench: Bench
    engine: dask.Dask
    workers: dict[str, subprocess.Popen[bytes]]


class dask_bench:  # noqa: N801 - a context manager, used like a function
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> DaskBench:
        book = fakes.MemoryLedger()
        self._served = fakes.served(fakes.answer(book))
        url = self._served.__enter__()
        self._engine = dask.Dask(host="127.0.0.1", port=0)
        self._engine.start()
        environment = {**os.environ, "NEPHOS_TOKEN": fakes.TOKEN}
        self._workers = {
            name: subprocess.Popen(
                [sys.executable, "-m", "nephos.farm.member", url, self._engine.address, name, "1"], env=environment
            )
            for name in ("one", "two")
        }
        waiting.until(lambda: len(self._engine.free_slots()) == 2, seconds=30, what="two workers")
        return DaskBench(Bench(self._engine, book, self._folder), self._engine, self._workers)

    def __exit__(self, *_: object) -> None:
        for process in self._workers.values():
            process.send_signal(signal.SIGCONT)
            process.terminate()
        for process in self._workers.values():
            process.wait(timeout=30)
        self._engine.stop()
        self._served.__exit__(None, None, None)


def test_an_attempt_runs_and_is_committed_and_forgotten(bench: Bench) -> None:
    before = bench.free()

    attempt = bench.dispatch(QUICK)
    row = bench.wait(attempt, "done")

    assert before == 2
    assert [(output["path"], output["bytes"]) for output in row.outputs] == [("a.txt", 1)]
    assert (Path(row.assignment.folder) / "out" / "a.txt").read_text() == "a"
    assert "hello" in row.lines
    assert row.progress[0] == 0.3
    waiting.until(lambda: attempt not in bench.engine.known() and bench.free() == 2, seconds=5, what="a free slot")


def test_running_attempts_take_slots_and_are_known(bench: Bench) -> None:
    attempts = {bench.dispatch(LONG) for _ in range(2)}
    bench.pids(4)

    known, free = bench.engine.known(), bench.free()
    (bench.folder / "go").touch()
    for attempt in attempts:
        bench.wait(attempt, "done")

    assert (known, free) == (attempts, 0)
    assert len({bench.book.rows[attempt].worker for attempt in attempts}) == len(bench.engine.free_slots())


def test_an_attempt_that_was_taken_away_before_its_claim_is_never_run(bench: Bench) -> None:
    worker = next(iter(bench.engine.free_slots()))
    attempt = ids.new()

    bench.engine.submit(attempt, worker=worker)  # the ledger has never heard of it
    waiting.until(lambda: attempt not in bench.engine.known(), seconds=20, what="the fenced attempt to be dropped")

    assert not (bench.folder / ".attempts" / attempt).exists()


def test_a_cancelled_attempt_dies_with_its_whole_tree_and_the_slot_goes_on(bench: Bench) -> None:
    attempt = bench.dispatch(LONG)
    pids = bench.pids()

    bench.book.end(attempt, "cancelled")

    dead(pids, seconds=8)
    waiting.until(lambda: bench.free() == 2, seconds=8, what="a free slot")
    assert bench.book.rows[attempt].state == "cancelled"
    bench.wait(bench.dispatch(QUICK), "done")


def test_a_failure_is_reported_with_its_words_and_code(bench: Bench) -> None:
    row = bench.wait(
        bench.dispatch(farm.template({"Step": 'print("openjd_fail: no disk", flush=True); raise SystemExit(75)'})),
        "failed",
    )

    assert row.failure == ("no disk", 75, True)


def test_work_ends_with_its_lease_when_the_station_cannot_be_reached(bench: Bench) -> None:
    attempt = bench.dispatch(LONG, lease=2)
    pids = bench.pids()

    bench.book.down = True

    dead(pids, seconds=6)
    assert bench.book.rows[attempt].state in ("running", "failed")
    bench.book.down = False
    assert bench.wait(attempt, "failed").failure[2]  # type: ignore[index] - it does not count


def test_dask_does_not_run_the_work_of_a_killed_worker_again(tmp_path: Path) -> None:
    with dask_bench(tmp_path) as made:
        attempt = made.bench.dispatch(LONG, worker="one")
        pids = made.bench.pids()

        made.workers["one"].kill()

        dead(pids, seconds=5)
        waiting.until(lambda: attempt not in made.engine.known(), seconds=20, what="the attempt to be dropped")
        assert (tmp_path / "starts").read_text().count("\n") == 1
        assert made.bench.book.rows[attempt].state == "running"  # until its lease is over: the dispatcher's to see
        made.bench.wait(made.bench.dispatch(QUICK, worker="two"), "done")


def test_a_dask_worker_that_stands_still_loses_its_work_at_the_end_of_the_lease(tmp_path: Path) -> None:
    with dask_bench(tmp_path) as made:
        attempt = made.bench.dispatch(LONG, worker="one", lease=3)
        pids = made.bench.pids()

        made.workers["one"].send_signal(signal.SIGSTOP)
        dead(pids, seconds=6)
        made.bench.book.end(attempt, "lost")
        (tmp_path / "go").touch()
        made.workers["one"].send_signal(signal.SIGCONT)

        waiting.until(lambda: made.bench.free() == 2, seconds=15, what="a free slot")
        assert made.bench.book.rows[attempt].state == "lost"
        assert made.bench.book.rows[attempt].outputs == []


def test_every_socket_of_dask_listens_on_loopback(tmp_path: Path) -> None:
    psutil = pytest.importorskip("psutil")
    with dask_bench(tmp_path) as made:
        pids = [os.getpid(), *(process.pid for process in made.workers.values())]

        listening = [c.laddr.ip for pid in pids for c in psutil.Process(pid).net_connections() if c.status == "LISTEN"]

    assert len(listening) >= 3
    assert set(listening) == {"127.0.0.1"}


def test_dask_refuses_to_be_reached_from_elsewhere() -> None:
    with pytest.raises(errors.NotLoopback):
        dask.Dask(host="0.0.0.0", port=0).start()


def test_dask_says_in_words_that_its_port_is_taken() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(errors.EngineRefused, match=str(taken.getsockname()[1])):
            dask.Dask(host="127.0.0.1", port=taken.getsockname()[1]).start()
