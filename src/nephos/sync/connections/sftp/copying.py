"""Copies a file on the server: by the server itself where it can, else by reading and writing."""

from __future__ import annotations

from nephos.sync import errors
from nephos.sync.connections import base
from nephos.sync.connections.sftp import channel as channels
from nephos.sync.connections.sftp import packets, reading, refusals, renaming
from nephos.sync.connections.sftp.channel import Channel
from nephos.sync.connections.sftp.packets import Kind, Mode, Reply, Status


def copy(channel: Channel, source: bytes, trial: bytes, target: bytes) -> None:
    """Through the name `trial`. Raises SyncError."""
    there = _done(channels.answer(channel, Kind.STAT, packets.text(source), base.NEVER), "find what to copy")
    size = there.attributes.bytes or 0
    handle = _open(channel, trial, Mode.WRITE | Mode.CREATE | Mode.TRUNCATE)
    if not _copy_there(channel, source, handle):
        _copy_here(channel, source, handle, size)
    _done(channels.answer(channel, Kind.CLOSE, packets.text(handle), base.NEVER), "close the copy")
    rename(channel, (trial, target), size)


def rename(channel: Channel, names: tuple[bytes, bytes], size: int) -> None:
    """From one name to another, in place of what is there. Raises SyncError."""
    found: list[errors.SyncError | None] = []
    renaming.Renaming(channel, names, size, note=lambda: None, done=found.append)
    channels.wait(channel, lambda: bool(found), base.NEVER)
    if found[0] is not None:
        raise found[0]


def _copy_there(channel: Channel, source: bytes, handle: bytes) -> bool:
    if not channel.offers(packets.COPY):
        return False
    origin = _open(channel, source, Mode.READ)
    body = packets.text(packets.COPY) + packets.text(origin) + packets.u64(0) + packets.u64(0)
    body += packets.text(handle) + packets.u64(0)
    reply = channels.answer(channel, Kind.EXTENDED, body, base.NEVER)
    channels.answer(channel, Kind.CLOSE, packets.text(origin), base.NEVER)
    if reply.status == Status.UNSUPPORTED:
        return False
    _done(reply, "copy the file")
    return True


def _copy_here(channel: Channel, source: bytes, handle: bytes, size: int) -> None:
    over: list[errors.SyncError | None] = []
    refused: list[Reply] = []
    at = owed = 0

    def write(block: bytes) -> None:
        nonlocal at, owed
        for start in range(0, len(block), channel.write_bytes):
            piece = block[start : start + channel.write_bytes]
            owed += 1
            head = packets.text(handle) + packets.u64(at) + packets.u32(len(piece))
            channel.ask(Kind.WRITE, head + piece, written)
            at += len(piece)

    def written(reply: Reply) -> None:
        nonlocal owed
        owed -= 1
        if reply.status != Status.OK:
            refused.append(reply)

    reading.Reading(channel, source, span=(0, size), sink=write, done=over.append)
    channels.wait(channel, lambda: bool(over) and not owed, base.NEVER)
    if over[0] is not None:
        raise over[0]
    if refused:
        raise refusals.of_write(refused[0])


def _open(channel: Channel, path: bytes, mode: Mode) -> bytes:
    body = packets.text(path) + packets.u32(mode) + packets.NO_ATTRIBUTES
    return _done(channels.answer(channel, Kind.OPEN, body, base.NEVER), "open the file").text


def _done(reply: Reply, what: str) -> Reply:
    if reply.status != Status.OK:
        raise refusals.of(reply, what)
    return reply
