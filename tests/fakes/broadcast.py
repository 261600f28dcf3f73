"""The test broadcast of `tools/broadcast`, made once and kept; and a sender for it."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import runpy
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parents[2]
_TOOLS = _ROOT / "tools" / "broadcast"


@dataclass(frozen=True, slots=True)
class Cue:
    """A caption of the broadcast: times after its first picture, and where its bytes lie in the stream."""

    start: float
    end: float
    lines: tuple[str, ...]
    sent_from: float
    sent_to: float


@dataclass(frozen=True, slots=True)
class Broadcast:
    """The file and what is true of it; clock values in 90 kHz ticks."""

    path: Path
    seconds: float
    bits_per_second: int
    pcr_start: int
    pts_start: int
    cues: tuple[Cue, ...]


@functools.cache
def get() -> Broadcast:
    """The broadcast, made now if this cache has none (about 5 CPU seconds)."""
    folder = Path(os.environ.get("NEPHOS_TEST_CACHE") or _ROOT / ".demo-cache") / "broadcast"
    subprocess.run([sys.executable, _TOOLS / "make.py", folder], check=True, timeout=300)
    facts = json.loads((folder / "cues.json").read_bytes())
    cues = tuple(
        Cue(cue["start"], cue["end"], tuple(cue["lines"]), cue["sent_from"], cue["sent_to"]) for cue in facts["cues"]
    )
    return Broadcast(
        path=folder / "broadcast.ts",
        seconds=facts["seconds"],
        bits_per_second=facts["bits_per_second"],
        pcr_start=facts["pcr_start"],
        pts_start=facts["pts_start"],
        cues=cues,
    )


@contextlib.contextmanager
def on_air(
    *,
    group: str,
    port: int,
    seconds: float,
    rtp: bool = False,
    report: Path | None = None,
    interface: str = "127.0.0.1",
) -> Iterator[subprocess.Popen[bytes]]:
    """Send the broadcast from another process while the block runs."""
    argv = [sys.executable, str(_TOOLS / "send.py"), str(get().path), "--group", group, "--port", str(port)]
    argv += ["--interface", interface, "--seconds", str(seconds)]
    argv += ["--rtp"] if rtp else []
    argv += ["--report", str(report)] if report else []
    with subprocess.Popen(argv) as sender:
        try:
            yield sender
        finally:
            sender.terminate()


def part(start: float, end: float) -> bytes:
    """The packets that are sent between two seconds of the stream's position."""
    bytes_per_second = get().bits_per_second // 8
    with get().path.open("rb") as stream:
        stream.seek(int(start * bytes_per_second) // 188 * 188)
        return stream.read(int((end - start) * bytes_per_second) // 188 * 188)


def moved(packets: bytes, *, seconds: float) -> bytes:
    """The same packets with all clocks and time stamps moved on, round the wrap if need be."""
    result: bytes = _sender()["restamp"](packets, round(seconds * 90_000), Counter(), 1)
    return result


def datagrams() -> Iterator[bytes]:
    """What the sender sends: the stream for ever."""
    endless: Iterator[bytes] = _sender()["datagrams"](get().path.read_bytes())
    return endless


@functools.cache
def _sender() -> dict[str, Any]:
    before = set(sys.modules)
    sys.path.insert(0, str(_TOOLS))
    try:
        return runpy.run_path(str(_TOOLS / "send.py"))
    finally:
        sys.path.remove(str(_TOOLS))
        for name in set(sys.modules) - before:  # its modules have names that others could want
            del sys.modules[name]


def without(packets: bytes, pid: int) -> bytes:
    """The same packets with those of one PID replaced by stuffing."""
    stuffing = b"\x47\x1f\xff\x10" + b"\xff" * 184
    return b"".join(
        stuffing if (packets[at + 1] & 0x1F) << 8 | packets[at + 2] == pid else packets[at : at + 188]
        for at in range(0, len(packets), 188)
    )
