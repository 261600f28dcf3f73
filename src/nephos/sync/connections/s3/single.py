"""One object by one PUT, which appears whole or not at all."""

from __future__ import annotations

import hashlib

from nephos.sync import errors
from nephos.sync import ports as sync_ports
from nephos.sync.connections import base
from nephos.sync.connections.s3 import answers, sums
from nephos.sync.connections.s3.exchange import Body, FileRange
from nephos.sync.connections.s3.sending import Sending

_IN_MEMORY_BYTES = 256 * 1024


def deliver(sending: Sending) -> base.Delivered:
    """Raises SyncError."""
    piece = FileRange(sending.handle, 0, sending.size_bytes)
    body: Body = piece
    if piece.length <= _IN_MEMORY_BYTES:
        body = sync_ports.read_at(piece.handle, piece.length + 1, 0)
        if len(body) != piece.length:
            raise errors.SourceChanged
        sha256 = hashlib.sha256(body).hexdigest()
    else:
        sha256 = sums.sha256(piece, sending.stop)
    vouched, headers = sending.checked(piece, sha256=sha256)
    answer = sending.calls.put(
        sending.key, body, sha256=vouched, headers=sending.metadata() | headers, stop=sending.stop
    )
    proof = sending.prove(sha256=sha256)
    sending.check_source()
    return base.Delivered(
        key=sending.key,
        bytes=sending.size_bytes,
        sha256=sha256,
        proof=proof,
        etag=answers.bare(answer.header("etag")),
        version=answer.header("x-amz-version-id"),
    )
