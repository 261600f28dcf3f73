"""One object by one PUT, which appears whole or not at all."""

from __future__ import annotations

from nephos.sync.connections import base
from nephos.sync.connections.s3 import answers, sums
from nephos.sync.connections.s3.exchange import FileRange
from nephos.sync.connections.s3.sending import Sending


def deliver(sending: Sending) -> base.Delivered:
    """Raises SyncError."""
    piece = FileRange(sending.handle, 0, sending.size_bytes)
    vouching = sending.vouching
    checked = vouching.checks(piece.length)
    crc = ("crc",) if sending.is_read_back(checked=checked) or (vouching.crc and not vouching.sha) else ()
    md5 = ("md5",) if vouching.wants_md5(piece.length) else ()
    known = sums.take(piece, sending.stop, (*crc, *md5))
    signed, headers = vouching.body(known)
    answer = sending.calls.put(
        sending.key, piece, sha256=signed, headers=sending.metadata() | headers, stop=sending.stop
    )
    proof = sending.prove(known, checked=checked)
    sending.check_source()
    return base.Delivered(
        key=sending.key,
        bytes=sending.size_bytes,
        sha256=known.sha256,
        proof=proof,
        etag=answers.bare(answer.header("etag")),
        version=answer.header("x-amz-version-id"),
    )
