"""Checksums of what is sent."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator

from nephos.lib import ports
from nephos.sync import errors
from nephos.sync import ports as sync_ports
from nephos.sync.connections.s3.exchange import FileRange

_BLOCK_BYTES = 1 << 20


def sha256(piece: FileRange, stop: ports.Waiter) -> str:
    """Of a piece of a file. Raises SourceChanged if the file ends too early."""
    return _digest(hashlib.sha256(), piece, stop)


def md5(piece: FileRange, stop: ports.Waiter) -> str:
    """What most servers call the ETag of a part; only to recognise a part, never as a proof."""
    return _digest(hashlib.md5(usedforsecurity=False), piece, stop)


def crc64nvme(piece: FileRange, stop: ports.Waiter) -> str:
    """As the header wants it: base 64 of eight bytes."""
    from awscrt import checksums  # ten milliseconds that plain http does not need

    value = 0
    for block in _blocks(piece, stop):
        value = checksums.crc64nvme(block, value)
    return base64.b64encode(value.to_bytes(8, "big")).decode()


def crc64nvme_of(body: bytes) -> str:
    """The same of bytes."""
    from awscrt import checksums

    return base64.b64encode(checksums.crc64nvme(body).to_bytes(8, "big")).decode()


def _digest(digest: hashlib._Hash, piece: FileRange, stop: ports.Waiter) -> str:
    for block in _blocks(piece, stop):
        digest.update(block)
    return digest.hexdigest()


def _blocks(piece: FileRange, stop: ports.Waiter) -> Iterator[bytes]:
    at, end = piece.start, piece.start + piece.length
    while at < end:
        if stop.is_set():
            raise errors.Interrupted
        block = sync_ports.read_at(piece.handle, min(_BLOCK_BYTES, end - at), at)
        if not block:
            raise errors.SourceChanged
        at += len(block)
        yield block
