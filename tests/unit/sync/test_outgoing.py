"""Packets and pieces of files before a socket."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from nephos.sync import errors, fingerprints
from nephos.sync.connections import base
from nephos.sync.connections.sftp.outgoing import Outgoing
from nephos.sync.connections.sftp.source import Source


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    near, far = socket.socketpair()
    near.settimeout(0)
    yield near, far
    near.close()
    far.close()


def source_of(place: Path, content: bytes) -> Source:
    place.write_bytes(content)
    name = os.fsencode(place)
    return Source(base.Item(1, name, "file", fingerprints.take(name), "transfer"))


def drained(outgoing: Outgoing, near: socket.socket, far: socket.socket) -> bytes:
    came = b""
    while outgoing:
        try:
            outgoing.hand_over(near)
        except BlockingIOError:
            came += far.recv(1 << 20)
    far.settimeout(0)
    try:
        while block := far.recv(1 << 20):
            came += block
    except BlockingIOError:
        return came
    return came


def test_packets_and_pieces_go_in_order(ends: tuple[socket.socket, socket.socket], tmp_path: Path) -> None:
    content = os.urandom(3 << 20)
    source = source_of(tmp_path / "file", content)
    outgoing = Outgoing()
    outgoing.put(b"first")
    outgoing.put(b"second")
    outgoing.put_piece(source, 100, 2 << 20, pytest.fail)
    outgoing.put(b"third")

    came = drained(outgoing, *ends)

    assert came == b"firstsecond" + content[100 : 100 + (2 << 20)] + b"third"
    assert outgoing.bytes == 0


def test_a_file_that_became_shorter_spoils_itself_and_not_what_follows(
    ends: tuple[socket.socket, socket.socket], tmp_path: Path
) -> None:
    source = source_of(tmp_path / "file", b"x" * 1000)
    os.truncate(tmp_path / "file", 300)
    outgoing, told = Outgoing(), []
    outgoing.put_piece(source, 0, 1000, told.append)
    outgoing.put(b"next")

    came = drained(outgoing, *ends)

    assert came == b"x" * 300 + bytes(700) + b"next"
    assert [type(error) for error in told] == [errors.SourceChanged]


def test_a_socket_that_is_closed_is_not_said_of_the_file(
    ends: tuple[socket.socket, socket.socket], tmp_path: Path
) -> None:
    outgoing = Outgoing()
    outgoing.put_piece(source_of(tmp_path / "file", b"x" * 1000), 0, 1000, pytest.fail)
    ends[1].close()

    with pytest.raises(OSError, match=r"pipe|reset"):
        outgoing.hand_over(ends[0])


def test_a_file_stays_open_until_its_last_piece_went(ends: tuple[socket.socket, socket.socket], tmp_path: Path) -> None:
    source = source_of(tmp_path / "file", b"x" * 1000)
    handle = source.handle
    outgoing = Outgoing()
    outgoing.put_piece(source, 0, 1000, pytest.fail)

    del source
    came = drained(outgoing, *ends)

    assert came == b"x" * 1000
    with pytest.raises(OSError, match="descriptor"):
        os.fstat(handle)
