"""An object that goes up part by part while its file is still being written; the ordinary sending completes it.

What went up is kept only as far as it is proven to be the finished file: each part by its own SHA-256. So a file that
was rewritten at its beginning costs the parts that changed and no others, and a mixture never gets the name.
"""

from __future__ import annotations

import functools
from concurrent.futures import Executor

from nephos.sync.connections import base
from nephos.sync.connections.s3 import multipart, sums
from nephos.sync.connections.s3.exchange import FileRange
from nephos.sync.connections.s3.sending import Sending

STEP_BYTES = 5 << 20  # the least that S3 takes as a part: what is left to send at the end is as little as it can be
_UNKNOWN_BYTES = 8 << 20  # a file of which nobody knows how long it gets may become 70 GiB in parts of this size
_MIB = 1 << 20


def part_bytes(expected_bytes: int, *, wanted: int) -> int:
    """Small enough to end soon, big enough for twice of what is expected; all of one size, which R2 asks for."""
    if wanted or not expected_bytes:
        return max(STEP_BYTES, wanted or _UNKNOWN_BYTES)
    needed = -(-2 * expected_bytes // multipart.MOST_PARTS)
    return max(STEP_BYTES, -(-needed // _MIB) * _MIB)


def grow(sending: Sending, expected_bytes: int, *, flush: bool, threads: Executor, most: int) -> int:
    """Send the parts that are full, `most` of them at once, and with `flush` the rest; how many bytes are there."""
    intent = _unfinished(sending) or _begin(sending, expected_bytes)
    known = {part.number: part for part in intent.parts}
    pieces = sending.pieces(intent.part_bytes)
    wanted = [
        number
        for number, piece in pieces.items()
        if (piece.length == intent.part_bytes or flush)
        and number <= multipart.MOST_PARTS
        and (number not in known or known[number].bytes != piece.length)
    ][:most]
    halt = multipart.Halt(sending.stop)
    send = functools.partial(_send_part, sending, intent, halt)
    futures = [threads.submit(send, number, pieces[number]) for number in wanted]
    known |= {part.number: part for part in multipart.collect(sending, intent, futures, halt)}
    return sum(part.bytes for number, part in known.items() if number in pieces)


def abandon(sending: Sending) -> None:
    """Give the upload up, at the server too."""
    intent = sending.journal.unfinished(sending.item)
    if intent is not None:
        sending.calls.abort(intent.key, intent.handle, stop=sending.stop)
        sending.journal.forget(sending.item)


def _unfinished(sending: Sending) -> base.Intent | None:
    """What was begun for this file; one that became shorter than what went up is no file that only grows."""
    intent = sending.journal.unfinished(sending.item)
    if intent is None:
        return None
    sent = max((part.number * intent.part_bytes for part in intent.parts), default=0)
    if intent.key == sending.key and sent < sending.size_bytes + intent.part_bytes:
        return intent
    abandon(sending)
    return None


def _begin(sending: Sending, expected_bytes: int) -> base.Intent:
    return multipart.begin(sending, part_bytes(expected_bytes, wanted=sending.tuning.part_bytes))


def _send_part(sending: Sending, intent: base.Intent, halt: multipart.Halt, number: int, piece: FileRange) -> base.Part:
    more = ("crc",) if sending.vouching.crc else ()
    return multipart.send_part(sending, intent, number, piece, halt, known=sums.take(piece, sending.stop, more))
