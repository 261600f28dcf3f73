"""A recorder without a network: lays segments, journals and heartbeats on disk as the real one does."""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from nephos.lib import clock, files
from nephos.recording import segments, windows

PACKETS_A_SECOND = 50
RATE = PACKETS_A_SECOND * segments.PACKET_BYTES


def packets(second: datetime, count: int = PACKETS_A_SECOND) -> bytes:
    """What is on the air in a second: packets that can be told apart."""
    head = struct.pack(">IQ", 0x47000010, int(second.timestamp()))
    return b"".join((head + struct.pack(">I", n)).ljust(segments.PACKET_BYTES, b"\xff") for n in range(count))


@dataclass(slots=True)
class Air:
    """The `.segments` folder of one channel."""

    recordings: Path
    slug: str
    segment_seconds: int = 10
    sent: dict[datetime, bytes] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        return segments.folder(self.recordings, self.slug)

    def receive(self, start: datetime, end: datetime, *, silent: bool = False, cc: int = 0) -> None:
        """Every second from start to end."""
        second = start
        while second < end:
            load = b"" if silent else packets(second)
            self._write(second, load)
            first, last = (None, None) if silent else (0.01, 0.99)
            self._note(second, load, first=first, last=last, cc=cc)
            second += timedelta(seconds=1)

    def killed(self, at: datetime, *, back_at: datetime, until: datetime) -> None:
        """The recorder dies in the second of `at`, is back at `back_at`, and receives on."""
        second = at.replace(microsecond=0)
        share = (at - second).total_seconds()
        path = self._write(second, packets(second, int(PACKETS_A_SECOND * share)) + b"torn")
        os.utime(path, (at.timestamp(), at.timestamp()))
        again = back_at.replace(microsecond=0)
        path = self._path(again)
        size = path.stat().st_size if path.exists() else 0
        whole = size - size % segments.PACKET_BYTES
        if path.exists():
            os.truncate(path, whole)
        resume = segments.Resume(at=back_at, offset=whole, last_write=at)
        self._append(path.with_suffix(".jsonl"), segments.resume_line(resume))
        share = (back_at - again).total_seconds()
        load = packets(again, PACKETS_A_SECOND - int(PACKETS_A_SECOND * share))
        self._write(again, load)
        self._note(again, load, first=round(share + 0.02, 3), last=0.99)
        self.receive(again + timedelta(seconds=1), until)

    def content(self, start: datetime, end: datetime) -> bytes:
        """All that was written of a time."""
        return b"".join(load for second, load in sorted(self.sent.items()) if start <= second < end)

    def _path(self, second: datetime) -> Path:
        return self.folder / segments.name(segments.slot(int(second.timestamp()), self.segment_seconds))

    def _write(self, second: datetime, load: bytes) -> Path:
        path = self._path(second)
        self._append(path, load)
        end = second.timestamp() + 0.99
        os.utime(path, (end, end))
        whole = load[: len(load) - len(load) % segments.PACKET_BYTES]
        self.sent[second] = self.sent.get(second, b"") + whole
        return path

    def _note(self, second: datetime, load: bytes, *, first: float | None, last: float | None, cc: int = 0) -> None:
        path = self._path(second)
        line = segments.Second(
            utc=second,
            mono=second.timestamp() - 1e9,
            offset=path.stat().st_size - len(load),
            bytes=len(load),
            packets=len(load) // segments.PACKET_BYTES,
            datagrams=len(load) // 1316,
            cc=cc,
            first=first,
            last=last,
        )
        self._append(path.with_suffix(".jsonl"), segments.second_line(line))

    def _append(self, path: Path, load: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as stream:
            stream.write(load)


def beat(
    run: Path,
    at: datetime,
    *,
    bookings: list[int] | None = None,
    state: str = "running",
    done: dict[int, datetime] | None = None,
    opened: list[windows.Open] | None = None,
) -> None:
    """The recorder's heartbeat: what it receives, what it received to the end, what is open to when on its clock."""
    receivers = [{"slug": "x", "bookings": bookings}] if bookings else []
    files.write_json(
        run / "recorder.json",
        {
            "role": "recorder",
            "pid": 1,
            "state": state,
            "started_at": clock.stamp(datetime(2026, 1, 1, tzinfo=UTC)),
            "beat_at": clock.stamp(at),
            "details": {
                "receivers": receivers,
                "clock": {"utc": at.timestamp(), "mono": clock.elapsed(), "boot": clock.boot()},
                "windows": [[one.booking, clock.stamp(one.end), one.ends_mono] for one in opened or []],
                "done": [[booking, clock.stamp(end)] for booking, end in (done or {}).items()],
            },
        },
    )


class Clock:
    """Both clocks, moved by hand."""

    def __init__(self, now: datetime) -> None:
        self.wall = now
        self.mono = 1000.0

    def pass_(self, seconds: float) -> None:
        """Time passes."""
        self.wall += timedelta(seconds=seconds)
        self.mono += seconds

    def go_to(self, moment: datetime) -> None:
        """Time passes until then."""
        self.pass_((moment - self.wall).total_seconds())

    def step(self, seconds: float) -> None:
        """The wall clock is set."""
        self.wall += timedelta(seconds=seconds)
