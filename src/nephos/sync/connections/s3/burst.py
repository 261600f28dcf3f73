"""Small objects: one thread, many connections that stay open, one request on its way over each.

A thread for each would spend more time on handing over than on sending (research: 2.5 times the CPU).
"""

from __future__ import annotations

import collections
import hashlib
import os
import selectors
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field

from nephos.lib import clock
from nephos.sync import errors, fingerprints
from nephos.sync import ports as sync_ports
from nephos.sync.connections import base
from nephos.sync.connections.s3 import answers, sending, stencil, vouching
from nephos.sync.connections.s3.calls import QUICK, QUICK_TRIES, Calls
from nephos.sync.connections.s3.exchange import Answer, explain
from nephos.sync.connections.s3.line import Line
from nephos.sync.states import Proof

MOST_BYTES = 256 * 1024
_LINES = 16


@dataclass(slots=True)
class _Errand:
    """One object: put, and perhaps got back."""

    item: base.Item
    key: str
    body: bytes
    sha256: str
    request: bytes
    reading: bool = False
    failures: int = 0
    resent: bool = False
    etag: str = ""
    version: str = ""


@dataclass(slots=True)
class Burst:
    """Takes items, gives outcomes; `step` does what can be done now."""

    calls: Calls
    profile: base.Profile
    selector: selectors.BaseSelector
    ended: collections.deque[base.Outcome] = field(default_factory=collections.deque)
    _free: list[Line] = field(default_factory=list)
    _busy: dict[Line, _Errand] = field(default_factory=dict)
    _later: list[tuple[float, _Errand]] = field(default_factory=list)
    _looked_at: float = 0.0
    _vouching: vouching.Vouching = field(init=False)

    def __post_init__(self) -> None:
        self._vouching = vouching.of(self.profile, secure=self.calls.endpoint.secure)

    @property
    def has_room(self) -> bool:
        """Whether one more can go at once."""
        return len(self._busy) + len(self._later) < _LINES

    @property
    def is_busy(self) -> bool:
        return bool(self._busy or self._later)

    def begin(self, item: base.Item, key: str) -> None:
        """Put one object."""
        try:
            body = _read(item)
            errand = self._errand(item, key, body)
        except errors.SyncError as error:
            self.ended.append(base.Outcome(item, error=error))
            return
        self._start(errand)

    def on_event(self, line: Line) -> None:
        """Something can be sent or read."""
        line.advance()
        self._settle(line)

    def step(self) -> None:
        """What time brings: a second try, a server that says nothing."""
        now = clock.monotonic()
        if self._later:
            due = [errand for moment, errand in self._later if moment <= now]
            self._later = [(moment, errand) for moment, errand in self._later if moment > now]
            for errand in due:
                self._start(errand)
        if now - self._looked_at > 1:
            self._looked_at = now
            for line in list(self._busy):
                line.check_silence()
                self._settle(line)

    def stop(self) -> Iterator[base.Item]:
        """Break off what is on its way: those items."""
        for line, errand in list(self._busy.items()):
            self._drop(line)
            yield errand.item
        yield from (errand.item for _, errand in self._later)
        self._later = []

    def close(self) -> None:
        """Let go of all connections."""
        for line in [*self._busy, *self._free]:
            self._drop(line)
        self._free = []

    def _errand(self, item: base.Item, key: str, body: bytes) -> _Errand:
        known, vouched = self._vouching.small(body)
        request = stencil.put(self.calls, key, item, length=len(body), vouched=vouched)
        return _Errand(item, key, body, known.sha256, request)

    def _start(self, errand: _Errand) -> None:
        line = self._free.pop() if self._free else Line(self.calls.endpoint, self.calls.tls, self.selector)
        self._busy[line] = errand
        line.ask(errand.request, b"" if errand.reading else errand.body)
        self._settle(line)

    def _settle(self, line: Line) -> None:
        if line.broken is not None:
            self._fail(line, line.broken)
        elif line.answer is not None:
            answer, line.answer = line.answer, None
            errand = self._busy.pop(line)
            if line.is_kept:
                self._free.append(line)
            else:
                line.close()
            self._answered(errand, answer)

    def _answered(self, errand: _Errand, answer: Answer) -> None:
        if answer.status >= 300:
            self._refused(errand, answers.refusal(answer))
            return
        if not errand.reading:
            if not answer.header("etag"):
                self._refused(errand, answers.NoStore())
                return
            errand.etag, errand.version = answers.bare(answer.header("etag")), answer.header("x-amz-version-id")
            if self._wants_read_back(errand):
                errand.request = self.calls.request("GET", errand.key, {}, {})
                errand.reading = True
                self._start(errand)
                return
        elif hashlib.sha256(answer.body).hexdigest() != errand.sha256:
            self.ended.append(base.Outcome(errand.item, error=errors.Mismatch()))
            return
        self.ended.append(base.Outcome(errand.item, delivered=self._delivered(errand)))

    def _wants_read_back(self, errand: _Errand) -> bool:
        if errand.item.verify is base.Verify.AUTO:
            return not self._vouching.checks(len(errand.body))
        return errand.item.verify is base.Verify.READ_BACK

    def _delivered(self, errand: _Errand) -> base.Delivered:
        proof = Proof.TRANSPORT if errand.item.verify is base.Verify.NONE else Proof.SERVER
        return base.Delivered(
            key=errand.key,
            bytes=len(errand.body),
            sha256=errand.sha256,
            proof=Proof.READ_BACK if errand.reading else proof,
            etag=errand.etag,
            version=errand.version,
        )

    def _refused(self, errand: _Errand, error: errors.SyncError) -> None:
        errand.failures += 1
        if isinstance(error, errors.Overloaded) and errand.failures < QUICK_TRIES:
            # rclone's server answers 500 when two first files meet in a new folder; the second try is fine.
            pause = QUICK.delay(errand.failures - 1).total_seconds()
            self._later.append((clock.monotonic() + pause, errand))
        else:
            self.ended.append(base.Outcome(errand.item, error=error))

    def _fail(self, line: Line, error: Exception) -> None:
        errand = self._busy.pop(line)
        rested = line.has_served and not line.heard
        line.close()
        if rested and not errand.resent and not isinstance(error, TimeoutError | ssl.SSLCertVerificationError):
            # The server closed while the connection rested, and so may it have done with the others.
            for free in self._free:
                free.close()
            self._free = []
            errand.resent = True
            self._start(errand)
            return
        self.ended.append(base.Outcome(errand.item, error=explain(self.calls.endpoint, error)))

    def _drop(self, line: Line) -> None:
        self._busy.pop(line, None)
        line.close()


def _read(item: base.Item) -> bytes:
    """The whole file, as the version that was seen: whatever comes after is another one."""
    handle = sending.open_source(item)
    try:
        body = sync_ports.read_at(handle, item.fingerprint.size_bytes + 1, 0)
        status = os.fstat(handle)  # after the reading: what changed before or meanwhile shows
    except OSError as error:
        raise errors.SourceUnreadable(f"The file cannot be read: {error.strerror or error}.") from error
    finally:
        os.close(handle)
    if fingerprints.of(status) != item.fingerprint or len(body) != item.fingerprint.size_bytes:
        raise errors.SourceChanged
    return body
