"""What the benchmarks of the recorder share: an exact sender, a recorder process, CPU and memory, the JSON lines."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.fakes import transport

from nephos.config import load
from nephos.lib import ports
from nephos.recording import plan, segments

LOOPBACK = "127.0.0.1"
FIRST_GROUP = ipaddress.IPv4Address("239.188.1.1")
PORT = 5188
DATAGRAM = 7 * 188
_SENDER = Path(__file__).with_name("recording_sender.c")
_RECORDER = """
import signal, sys, threading
from pathlib import Path
from nephos.config import load
from nephos.recording import recorder
stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
recorder.main(load.load(Path(sys.argv[1]), environment={}), stop)
"""


class Stage:
    """A folder with the compiled sender and its material; use as a context."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="bench-recording-")
        self.root = Path(self._folder.name)
        self.content = transport.stream(transport.CYCLE)
        self._material = self.root / "material.ts"
        self._sender = self.root / "sender"
        self._homes = 0

    def __enter__(self) -> Stage:
        self._material.write_bytes(self.content)
        subprocess.run(["gcc", "-O2", "-o", str(self._sender), str(_SENDER)], check=True)
        return self

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()

    @contextlib.contextmanager
    def sending(self, count: int, rate: float, seconds: float) -> Iterator[subprocess.Popen[bytes]]:
        """The sender; it says at its end how many datagrams each stream got and how late it was at most."""
        argv = [self._sender, self._material, FIRST_GROUP, PORT, count, int(rate), seconds]
        process = subprocess.Popen([str(part) for part in argv], stdout=subprocess.PIPE)
        try:
            yield process
        finally:
            process.terminate()
            process.wait()

    def home(self, channels: Sequence[plan.Channel], *, pre_roll: float) -> load.Loaded:
        """A fresh home with this plan."""
        self._homes += 1
        root = self.root / f"home{self._homes}"
        loaded = load.load(root, environment={})
        loaded.home.create()
        loaded.home.config_file.write_text(f"[recording]\npre_roll_seconds = {pre_roll}\nhard_floor_bytes = 0\n")
        plan.write(loaded.home.plan_file, plan.Plan(made_at=channels[0].windows[0].start, channels=tuple(channels)))
        return loaded

    def drop(self, loaded: load.Loaded) -> None:
        """Free the disk."""
        shutil.rmtree(loaded.home.root)

    def differs(self, written: bytes, datagrams: int) -> bool:
        """Whether a file is not exactly the first so many datagrams of the material."""
        if len(written) != datagrams * DATAGRAM:
            return True
        source = np.frombuffer(self.content, dtype=np.uint8)
        got = np.frombuffer(written, dtype=np.uint8)
        pieces = range(0, got.size, source.size)
        return any(not np.array_equal(got[p : p + source.size], source[: got.size - p]) for p in pieces)


def channel(number: int, windows: Sequence[plan.Window]) -> plan.Channel:
    return plan.Channel(f"c{number:03d}", f"c{number}", f"udp://{group(number)}:{PORT}", LOOPBACK, tuple(windows))


def group(number: int) -> str:
    return str(FIRST_GROUP + number)


def spawn(loaded: load.Loaded) -> subprocess.Popen[bytes]:
    process = subprocess.Popen([sys.executable, "-c", _RECORDER, str(loaded.home.root)])
    ports.go_first(process.pid)  # as the supervisor does
    return process


@contextlib.contextmanager
def recorder(loaded: load.Loaded) -> Iterator[int]:
    process = spawn(loaded)
    try:
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def parts(loaded: load.Loaded, number: int) -> list[segments.Segment]:
    return segments.list_segments(segments.folder(loaded.home.recordings, f"c{number:03d}"))


def seconds_of(loaded: load.Loaded, number: int) -> list[segments.Second]:
    return [second for one in parts(loaded, number) for second in segments.read_journal(one.journal).seconds]


def wait_joined(count: int, timeout: float = 30, *, sockets: int = 1) -> None:
    """Until so many of our groups are joined on this machine, each by so many sockets."""
    until = time.monotonic() + timeout
    wanted = {f"{int.from_bytes((FIRST_GROUP + n).packed, 'little'):08X}" for n in range(count)}
    while len(wanted & _joined(sockets)) < count:
        if time.monotonic() > until:
            raise SystemExit("the groups were not joined in time")
        time.sleep(0.05)


def _joined(sockets: int) -> set[str]:
    lines = (line.split() for line in Path("/proc/net/igmp").read_text().splitlines()[1:])
    return {words[0] for words in lines if len(words) == 4 and words[1].isdigit() and int(words[1]) >= sockets}


def cpu_seconds(pid: int) -> float:
    """Of all threads, in nanosecond resolution."""
    total = 0
    for task in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        with contextlib.suppress(OSError):
            total += int(task.read_text().split()[0])
    return total / 1e9


def pss_bytes(pid: int) -> int:
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")) * 1024


def figure(
    name: str, value: float, unit: str, *, peer: float | None = None, goal: float | None = None, goal_is: str = "value"
) -> None:
    """One line; the goal is for the value or for its ratio to the peer, and is met at or below it."""
    ratio = round(value / peer, 3) if peer else None
    judged = ratio if goal_is == "ratio" else value
    met = None if goal is None or judged is None else judged <= goal
    shown = None if peer is None else round(peer, 4)
    line = {"name": name, "value": round(value, 4), "unit": unit, "peer": shown, "ratio": ratio, "goal": goal}
    print(json.dumps({**line, "met": met}), flush=True)
