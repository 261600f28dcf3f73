"""What went up of an earlier state of a file is kept for the later one, as far as it is proven to be the same."""

from __future__ import annotations

import dataclasses

from nephos.sync import errors
from nephos.sync.connections import base
from nephos.sync.connections.s3 import sums
from nephos.sync.connections.s3.exchange import FileRange
from nephos.sync.connections.s3.sending import Sending

_MOST_PARTS = 10_000


def adopt(sending: Sending, intent: base.Intent) -> base.Intent | None:
    """The unfinished upload with those parts whose SHA-256 is that of the file's bytes now; None if there is none."""
    noted = [part for part in intent.parts if part.sha256]
    if not noted or intent.key != sending.key or sending.size_bytes > intent.part_bytes * _MOST_PARTS:
        return None
    try:
        listed = sending.calls.list_parts(intent.key, intent.handle, stop=sending.stop)
    except errors.UploadLost:
        return None
    pieces = sending.pieces(intent.part_bytes)
    same = [part for part in noted if _is_same(sending, part, listed.get(part.number), pieces.get(part.number))]
    if not same:
        return None
    adopted = dataclasses.replace(intent, fingerprint=sending.item.fingerprint, parts=tuple(same))
    sending.journal.adopt(sending.item, adopted)
    return adopted


def _is_same(sending: Sending, noted: base.Part, there: base.Part | None, piece: FileRange | None) -> bool:
    if there is None or piece is None or not noted.bytes == there.bytes == piece.length or there.etag != noted.etag:
        return False
    return sums.sha256(piece, sending.stop) == noted.sha256
