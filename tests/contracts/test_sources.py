"""What every kind of source keeps to, whatever it receives from."""

from __future__ import annotations

import contextlib
import os
import selectors
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest

from nephos.recording.sources import address, base, process, udp
from tests.fakes import multicast, sources, transport

STREAM = transport.stream(7 * 40)
PIECES = [STREAM[i : i + 1316] for i in range(0, len(STREAM), 1316)]


@dataclass
class Subject:
    """A source, and how to make something arrive at it."""

    source: base.Source
    give: Callable[[bytes], None]


class Program:
    """A program that writes what it is given; each start reads from a pipe of its own."""

    def __init__(self, folder: Path) -> None:
        self.source = process.ProcessSource(self._prepare, what="pipe", shown="pipe:x")
        self._folder = folder
        self._path = folder / "0"
        self._far: IO[bytes] | None = None
        self._opened: list[IO[bytes]] = []

    def _prepare(self, _is_unwanted: object) -> list[str]:
        self._path = self._folder / str(int(self._path.name) + 1)
        os.mkfifo(self._path)
        self._far = None
        return ["cat", str(self._path)]

    def give(self, raw: bytes) -> None:
        until = time.monotonic() + 60
        while self._far is None:
            assert time.monotonic() < until
            with contextlib.suppress(OSError):  # nobody reads there yet, or any more
                self._far = os.fdopen(os.open(self._path, os.O_WRONLY | os.O_NONBLOCK), "wb", buffering=0)
                self._opened.append(self._far)
        self._far.write(raw)

    def end(self) -> None:
        self.source.close()
        for far in self._opened:
            far.close()


@pytest.fixture(params=["udp", "pipe", "program"])
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Subject]:
    if request.param == "program":
        program = Program(tmp_path)
        yield Subject(program.source, program.give)
        program.end()
        return
    if request.param == "pipe":
        fake = sources.PipeSource()
        yield Subject(fake, fake.give)
        fake.end()
        return
    sender = multicast.MulticastSender(multicast.free_group(), multicast.free_port())
    real = udp.UdpSource(address.parse(sender.url), interface="127.0.0.1")
    yield Subject(real, sender.send)
    real.close()
    sender.stop()


def receive(subject: Subject, pieces: list[bytes]) -> bytes:
    """Give and fetch one by one; the packets that come out."""
    out = b""
    with selectors.DefaultSelector() as selector:
        selector.register(subject.source, selectors.EVENT_READ)
        for piece in pieces:
            subject.give(piece)
            assert selector.select(5)
            subject.source.fill()
            out += subject.source.decode(subject.source.take()).packets.tobytes()
    return out


def test_packets_come_out_as_they_went_in(subject: Subject) -> None:
    subject.source.open()

    assert receive(subject, PIECES) == STREAM


def test_nothing_waiting_is_no_error_and_no_wait(subject: Subject) -> None:
    subject.source.open()

    assert subject.source.fill() == 0
    load = subject.source.take()
    assert (load.raw, list(load.sizes)) == (b"", [])
    assert subject.source.decode(load).packets.size == 0


def test_what_is_held_is_told_and_taken_once(subject: Subject) -> None:
    subject.source.open()
    with selectors.DefaultSelector() as selector:
        selector.register(subject.source, selectors.EVENT_READ)
        subject.give(PIECES[0])
        assert selector.select(5)

    assert subject.source.fill() == 1316
    assert subject.source.fill() == 1316
    assert subject.source.take().raw == PIECES[0]
    assert subject.source.take().raw == b""


def test_it_can_be_closed_twice_and_opened_again(subject: Subject) -> None:
    subject.source.open()
    subject.source.close()
    subject.source.close()
    subject.source.open()

    assert receive(subject, PIECES) == STREAM


def test_hostile_bytes_are_survived(subject: Subject) -> None:
    subject.source.open()

    out = receive(
        subject, [b"\x80", b"\x47" * 500, b"\xbf" * 40, b"\0" * 1400, b"G" + bytes(187), b"\x90!" + b"\xff" * 30]
    )

    assert len(out) % 188 == 0
    assert receive(subject, PIECES)[-1316:] == PIECES[-1]


def test_the_buffer_is_told(subject: Subject) -> None:
    subject.source.open()

    assert subject.source.facts().buffer_bytes > 0
    assert subject.source.facts().dropped == 0
