"""One object in parts, several at a time, that goes on in a new process where an old one was killed.

The upload id is in the journal before the first part goes, each part when it is acknowledged. After a crash the
server's list is compared with the journal; what both know is never sent again.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Executor, Future

from nephos.lib import ports
from nephos.sync import errors
from nephos.sync.connections import base
from nephos.sync.connections.s3 import adopting, answers, sums, vouching
from nephos.sync.connections.s3.calls import TRANSFER
from nephos.sync.connections.s3.exchange import FileRange
from nephos.sync.connections.s3.sending import Sending

_LEAST_PART_BYTES = 5 << 20
_USUAL_PART_BYTES = 8 << 20
_BIG_PART_BYTES = 16 << 20
_BIG_FILE_BYTES = 1 << 30
MOST_PARTS = 9_000  # the rule is 10,000
_MIB = 1 << 20


def part_bytes(size: int, *, wanted: int = 0) -> int:
    """Size of the parts of a file: the wanted one, else by the file's size; always few enough and big enough."""
    usual = _BIG_PART_BYTES if size >= _BIG_FILE_BYTES else _USUAL_PART_BYTES
    needed = -(-size // MOST_PARTS)
    return max(_LEAST_PART_BYTES, wanted or usual, -(-needed // _MIB) * _MIB)


class Halt:
    """Stops the parts of one upload when one of them failed, and all when everything stops."""

    def __init__(self, stop: ports.Waiter) -> None:
        self._stop = stop
        self._own = threading.Event()

    def set(self) -> None:
        self._own.set()

    def is_set(self) -> bool:
        return self._own.is_set() or self._stop.is_set()

    def wait(self, timeout: float | None = None) -> bool:
        left = 3600.0 if timeout is None else timeout
        while left > 0 and not self._stop.is_set():
            if self._own.wait(min(left, 0.25)):
                break
            left -= 0.25
        return self.is_set()


def deliver(sending: Sending, *, threads: Executor, hashing: Executor) -> base.Delivered:
    """Raises SyncError; what was acknowledged until then is kept for the next attempt."""
    halt = Halt(sending.stop)
    intent = _resume(sending)
    is_done = intent is not None and _is_done(sending, intent)
    intent = intent or begin(sending)
    checked = sending.vouching.checks_parts
    with_crc = sending.vouching.crc or sending.is_read_back(checked=checked)
    reading = sums.Reading(sending.pieces(intent.part_bytes), with_crc=with_crc)
    whole = hashing.submit(reading.run, halt)
    try:
        if not is_done:
            _send(sending, intent, threads, halt, reading)
        known = whole.result()
    finally:
        halt.set()
        _settle([whole])
    return _prove(sending, known, checked=checked)


def begin(sending: Sending, size: int = 0) -> base.Intent:
    """Ask for an upload and note it, with parts of this size or of the usual one."""
    upload = sending.calls.create(sending.key, headers=sending.metadata(), stop=sending.stop)
    intent = base.Intent(
        transfer=sending.item.transfer,
        fingerprint=sending.item.fingerprint,
        key=sending.key,
        handle=upload,
        part_bytes=size or part_bytes(sending.size_bytes, wanted=sending.tuning.part_bytes),
    )
    sending.journal.intent(sending.item, intent)
    return intent


def _resume(sending: Sending) -> base.Intent | None:
    """What an earlier attempt left and what of it is still true; otherwise it is given up at the server too."""
    intent = sending.journal.unfinished(sending.item)
    if intent is None:
        return None
    if intent.fingerprint == sending.item.fingerprint and intent.key == sending.key:
        return intent
    adopted = adopting.adopt(sending, intent)
    if adopted is not None:
        return adopted
    sending.calls.abort(intent.key, intent.handle, stop=sending.stop)
    sending.journal.forget(sending.item)
    return None


def _is_done(sending: Sending, intent: base.Intent) -> bool:
    """Whether this upload was completed although the answer never came."""
    found = sending.calls.head(sending.key, stop=sending.stop)
    if found is None or found.bytes != sending.size_bytes:
        return False
    return found.metadata.get(TRANSFER) == intent.transfer


def _send(sending: Sending, intent: base.Intent, threads: Executor, halt: Halt, reading: sums.Reading) -> None:
    try:
        kept = _kept(sending, intent) if intent.transfer != sending.item.transfer else {}
    except errors.UploadLost:
        sending.journal.forget(sending.item)
        intent, kept = begin(sending, intent.part_bytes), {}
    ranges = sending.pieces(intent.part_bytes)
    futures = [
        threads.submit(_send_read, sending, intent, number, piece, halt, reading)
        for number, piece in ranges.items()
        if number not in kept
    ]
    parts = [*kept.values(), *collect(sending, intent, futures, halt)]
    sending.check_source()  # before it is put together: a mixture never gets the final name
    _complete(sending, intent, sorted(parts, key=lambda part: part.number))


def _kept(sending: Sending, intent: base.Intent) -> dict[int, base.Part]:
    """Parts that need not be sent again: the server lists what the journal knows, or what has our bytes' sum."""
    listed = sending.calls.list_parts(intent.key, intent.handle, stop=sending.stop)
    noted = {part.number: part for part in intent.parts}
    kept: dict[int, base.Part] = {}
    for number, piece in sending.pieces(intent.part_bytes).items():
        there, here = listed.get(number), noted.get(number)
        if there is None or there.bytes != piece.length:
            continue
        if here is None and there.etag == sums.md5(piece, sending.stop):
            # Acknowledged in the last moment, when the journal did not come to note it.
            sending.journal.part(sending.item, there)
            here = there
        if here is not None and here.etag == there.etag:
            kept[number] = here
    return kept


def _send_read(
    sending: Sending, intent: base.Intent, number: int, piece: FileRange, halt: Halt, reading: sums.Reading
) -> base.Part:
    """A part behind the reading of the whole file, which has its sum; only where no CRC is checked it is read anew."""
    crc = reading.crc_of(number, halt) if sending.vouching.crc else None
    known = sums.Sums("", crc)
    if crc is None and sending.vouching.sha:
        known = sums.take(piece, halt, ())
    return send_part(sending, intent, number, piece, halt, known=known)


def send_part(
    sending: Sending, intent: base.Intent, number: int, piece: FileRange, halt: Halt, *, known: sums.Sums
) -> base.Part:
    """One part, noted when it is acknowledged; with its sums, as far as they are known."""
    if halt.is_set():
        raise errors.Interrupted
    signed, headers = sending.vouching.part(known)
    etag = sending.calls.upload_part(
        intent.key, intent.handle, number, piece, sha256=signed, headers=headers, stop=halt
    )
    crc = headers.get(vouching.CRC, "")
    part = base.Part(number=number, bytes=piece.length, etag=etag, crc=crc, sha256=known.sha256)
    sending.journal.part(sending.item, part)
    return part


def collect(sending: Sending, intent: base.Intent, futures: Sequence[Future[base.Part]], halt: Halt) -> list[base.Part]:
    """All parts, or the error that matters: not the interruptions that it caused in the others."""
    try:
        for future in futures:
            _watch(future, halt)
        return [future.result() for future in futures]
    except errors.SyncError as error:
        halt.set()
        _settle(futures)
        failures = [found for found in map(_error_of, futures) if not isinstance(found, errors.Interrupted | None)]
        first = failures[0] if failures else error
        if isinstance(first, errors.NotOffered):  # some servers take no part a second time: none of it is of use then
            sending.calls.abort(intent.key, intent.handle, stop=sending.stop)
            first = errors.UploadLost()
        if isinstance(first, errors.UploadLost):
            sending.journal.forget(sending.item)
        raise first from error


def _watch(future: Future[base.Part], halt: Halt) -> None:
    future.add_done_callback(lambda done: halt.set() if _error_of(done) is not None else None)


def _error_of(future: Future[base.Part]) -> errors.SyncError | None:
    if future.cancelled() or not future.done():
        return None
    error = future.exception()
    return error if isinstance(error, errors.SyncError) else None


def _settle(futures: Sequence[Future[base.Part] | Future[sums.Sums]]) -> None:
    """Wait until none of them uses the open file any more."""
    for future in futures:
        if not future.cancel():
            future.exception()


def _complete(sending: Sending, intent: base.Intent, parts: list[base.Part]) -> None:
    try:
        sending.calls.complete(intent.key, intent.handle, parts, stop=sending.stop)
    except errors.UploadLost:
        sending.journal.forget(sending.item)
        if not _is_done(sending, intent):
            raise
    except (errors.Offline, errors.Overloaded):
        # The answer is lost, or an error came inside a 200. Perhaps it is there all the same.
        if not _is_done(sending, intent):
            raise


def _prove(sending: Sending, known: sums.Sums, *, checked: bool) -> base.Delivered:
    sending.journal.verifying(sending.item)
    found = sending.calls.head(sending.key, stop=sending.stop)
    if found is None or found.bytes != sending.size_bytes:
        sending.journal.forget(sending.item)
        raise errors.Mismatch("The object is not there as it was sent.")
    try:
        proof = sending.prove(known, checked=checked)
    except errors.Mismatch:
        sending.journal.forget(sending.item)
        raise
    sending.check_source()
    return base.Delivered(
        key=sending.key,
        bytes=found.bytes,
        sha256=known.sha256,
        proof=proof,
        etag=answers.bare(found.etag),
        version=found.version,
    )
