"""The recorder in a time of its own: clocks moved by hand, a sender whose every packet says when it was sent."""

from __future__ import annotations

import os
import struct
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from nephos.config import load
from nephos.lib import clock
from nephos.recording import desk, plan, recorder, timeline, windows, writer
from nephos.recording.sources import base, datagrams, registry

TICK = 0.1
_PACKET = struct.Struct(">IQ")


class Sender:
    """Sends one packet at each tick, numbered."""

    def __init__(self) -> None:
        self.number = 0
        self.listeners: list[Ear] = []

    def send(self) -> None:
        """The next packet, to whoever listens."""
        self.number += 1
        packet = _PACKET.pack(0x47000110 | self.number % 16, self.number).ljust(188, b"\xff")
        for ear in self.listeners:
            ear.held.append(packet)


class Ear:
    """Fulfils `base.Source`: hears what the sender sends."""

    def __init__(self, sender: Sender) -> None:
        self.held: list[bytes] = []
        self._sender = sender
        self._unpacker = datagrams.Unpacker()
        self._file = os.open(os.devnull, os.O_RDONLY)

    def open(self) -> None:
        self._sender.listeners.append(self)

    def close(self) -> None:
        if self in self._sender.listeners:
            self._sender.listeners.remove(self)

    def fileno(self) -> int:
        return self._file

    def fill(self) -> int:
        return sum(len(one) for one in self.held)

    def take(self) -> base.Load:
        held, self.held = self.held, []
        return base.Load(b"".join(held), [len(one) for one in held])

    def decode(self, load: base.Load) -> base.Chunk:
        return self._unpacker.unpack(load)

    def facts(self) -> base.Facts:
        return base.Facts()


class _Selector:
    """Nothing to wait for: the test says what arrives."""

    def register(self, *_: Any) -> None: ...

    def unregister(self, *_: Any) -> None: ...

    def close(self) -> None: ...


class _Closer(writer.Closer):
    """Closes without a disk that confirms, and without a thread."""

    def __init__(self) -> None: ...

    def close(self, handle: int, folder: Path) -> None:
        os.close(handle)


@dataclass
class World:
    """One station, one channel, two clocks. `kill` ends the recorder without a word, `boot` starts the machine anew."""

    loaded: load.Loaded
    patch: pytest.MonkeyPatch
    wall: float = 1_800_000_000.0
    mono: float = 1000.0
    boots: int = 0
    sender: Sender = field(default_factory=Sender)
    recorder: recorder.Recorder | None = None
    keeper: Callable[[], object] = lambda: None  # what else is done, each second

    def __post_init__(self) -> None:
        self.patch.setattr(clock, "unix", lambda: self.wall)
        self.patch.setattr(clock, "now", lambda: timeline.moment(self.wall))
        self.patch.setattr(clock, "monotonic", lambda: self.mono)
        self.patch.setattr(clock, "elapsed", lambda: self.mono)
        self.patch.setattr(clock, "boot", lambda: f"boot {self.boots}")
        self.patch.setattr(registry, "make", lambda *_: Ear(self.sender))
        self.patch.setattr(desk.Desk, "offer", _at_once)
        self.patch.setattr(writer, "Closer", _Closer)

    def read_clocks(self) -> timeline.Reading:
        return timeline.Reading(wall=self.wall, mono=self.mono)

    def order(self, *wanted: plan.Window, buffer_seconds: int = 0) -> None:
        """Write the plan."""
        channel = plan.Channel(
            slug="one", name="One", url="udp://239.1.2.3:5004", windows=wanted, buffer_seconds=buffer_seconds
        )
        plan.write(self.loaded.home.plan_file, plan.Plan(made_at=timeline.moment(self.wall), channels=(channel,)))

    def window(self, booking: int, begins_in: float, seconds: float) -> plan.Window:
        """A window by the clock as it is now, at whole seconds."""
        start = timeline.moment(float(int(self.wall + begins_in)))
        return plan.Window(booking=booking, start=start, end=start + timedelta(seconds=seconds))

    def start(self) -> None:
        self.recorder = recorder.Recorder(self.loaded, threading.Event(), clocks=self.read_clocks)
        self.recorder._selector = _Selector()  # type: ignore[assignment]

    def kill(self) -> None:
        """What is in memory is lost."""
        self.recorder = None
        self.sender.listeners.clear()

    def boot(self, wall: float) -> None:
        """Another start of the machine, with another time on its clock."""
        self.kill()
        self.boots += 1
        self.mono = 10.0
        self.wall = wall

    def step(self, seconds: float) -> None:
        """Somebody sets the clock."""
        self.wall += seconds

    def pass_(self, seconds: float) -> list[int]:
        """Time passes, and the sender sends; the numbers of what it sent."""
        first = self.sender.number + 1
        for tick in range(round(seconds / TICK)):
            if tick % 10 == 0:
                self.keeper()
            self.wall += TICK
            self.mono += TICK
            self.sender.send()
            if self.recorder is not None:
                self._turn(self.recorder)
        return list(range(first, self.sender.number + 1))

    def _turn(self, running: recorder.Recorder) -> None:
        for post in running._posts.values():
            if post.receiver is not None:
                post.receiver.arrived(self.mono)
        running._attend(self.read_clocks())

    def sleep(self, seconds: float) -> None:
        """The machine is suspended: nothing runs, both clocks go on."""
        self.wall += seconds
        self.mono += seconds

    @property
    def open(self) -> list[windows.Open]:
        """The windows that the recorder receives."""
        return [w for post in self.recorder._posts.values() for w in post.windows.opened] if self.recorder else []


def numbers(stream: bytes) -> Sequence[int]:
    """Which packets these are."""
    return [_PACKET.unpack_from(stream, place)[1] for place in range(0, len(stream), 188)]


def _at_once(_: desk.Desk, work: desk.Work, *, size: int = 0) -> bool:
    work()
    return True
