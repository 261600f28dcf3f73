"""Run attempts under any engine: claim, hand to the guard, keep the lease, tell how it goes, commit or give up."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from nephos.farm import errors, ledger
from nephos.farm.slot import Slot
from nephos.lib import backoff, clock
from nephos.lib.errors import Unreachable
from nephos.lib.ports import Waiter

logger = logging.getLogger(__name__)

_RENEW_SECONDS = 2.0  # at most: this is also how fast a cancel arrives
_SILENCE_SECONDS = 20.0
_REPORT_SECONDS = 900.0
_BETWEEN_TRIES = backoff.Backoff(first=timedelta(seconds=0.5), most=timedelta(seconds=15))


@dataclass(slots=True)
class Worker:
    """One worker's way of attending to attempts; its engine calls `attend` once a slot."""

    name: str
    station: ledger.Ledger
    stop: Waiter
    silence_seconds: float = _SILENCE_SECONDS

    def attend(self, attempt: str, slot: Slot) -> None:
        """One attempt from claim to report. A fenced attempt is left alone without a word."""
        try:
            slot.ensure()
        except errors.GuardGone:
            logger.exception("No guard, so no work", extra={"attempt": attempt})
            return  # never claimed: the station gives it to another after a moment
        asked_at = clock.monotonic()
        try:
            assignment = self.station.claim(attempt, worker=self.name)
        except Unreachable:
            logger.warning("The station cannot be reached to claim an attempt", extra={"attempt": attempt})
            return
        if assignment is None:
            logger.info("Fenced: this attempt is not to be run", extra={"attempt": attempt})
            return
        try:
            ended = self._follow(assignment, slot, asked_at)
        except errors.GuardGone:
            slot.kill()
            ended = {"ok": False, "reason": "The process that guards the slot died.", "retry": True}
        if ended is not None:
            self._report(attempt, ended)

    def _follow(self, job: ledger.Assignment, slot: Slot, asked_at: float) -> dict[str, Any] | None:
        """How the attempt ended, None if it was fenced."""
        lease = _Lease(job.lease_seconds, asked_at)
        slot.run(job, until=lease.until)
        fenced = False
        while True:
            message = slot.hear(timeout=lease.renew_at - clock.monotonic() if not fenced else 1.0)
            if message is not None and message["says"] == "ended":
                return None if fenced else message
            if message is not None and not fenced:
                self._pass_on(job.attempt, message)
            if slot.silent_seconds() > self.silence_seconds:
                raise errors.GuardGone
            if not fenced and self.stop.is_set():
                slot.cancel()
                return _stopped(slot)
            if not fenced and clock.monotonic() >= lease.renew_at:
                fenced = not self._renew(job.attempt, lease, slot)

    def _renew(self, attempt: str, lease: _Lease, slot: Slot) -> bool:
        asked_at = clock.monotonic()
        try:
            if not self.station.renew(attempt):
                slot.cancel()
                return False
        except Unreachable:
            lease.put_off()
            return True
        lease.renewed(asked_at)
        slot.lengthen(until=lease.until)
        return True

    def _pass_on(self, attempt: str, message: dict[str, Any]) -> None:
        try:
            if message["says"] == "log":
                self.station.log(attempt, message["lines"])
            elif message["says"] == "progress":
                self.station.progress(attempt, fraction=message["fraction"], text=message["text"])
        except Unreachable:
            logger.debug("Output not told, the station cannot be reached", extra={"attempt": attempt})

    def _report(self, attempt: str, ended: dict[str, Any]) -> None:
        until = clock.monotonic() + _REPORT_SECONDS
        failures = 0
        while True:
            try:
                accepted = self._tell_end(attempt, ended)
            except Unreachable:
                # The work is done and its result lies on disk: worth asking for a good while.
                if clock.monotonic() > until or self.stop.wait(_BETWEEN_TRIES.delay(failures).total_seconds()):
                    logger.warning("A result could not be reported", extra={"attempt": attempt})
                    return
                failures += 1
                continue
            logger.info("Attempt ended", extra={"attempt": attempt, "ok": ended["ok"], "accepted": accepted})
            return

    def _tell_end(self, attempt: str, ended: dict[str, Any]) -> bool:
        if ended["ok"]:
            return self.station.commit(attempt, [ledger.parse_output(entry) for entry in ended["outputs"]])
        reason = ended["reason"]
        if ended.get("cause") == "lease":
            reason = "The station could not be reached until the lease was over."
        retry = bool(ended["retry"] or ended.get("cause"))
        return self.station.fail(attempt, reason=reason, exit_code=ended.get("exit_code"), retry=retry)


class _Lease:
    """When to renew, and when the guard must kill: always counted from before the question was asked."""

    def __init__(self, seconds: float, asked_at: float) -> None:
        self._seconds = seconds
        self._margin = max(0.3, seconds * 0.15)
        self._period = min(_RENEW_SECONDS, seconds / 3)
        self.until = 0.0
        self.renew_at = 0.0
        self.renewed(asked_at)

    def renewed(self, asked_at: float) -> None:
        self.until = asked_at + self._seconds - self._margin
        self.renew_at = asked_at + self._period

    def put_off(self) -> None:
        self.renew_at = clock.monotonic() + min(1.0, self._period)


def _stopped(slot: Slot) -> dict[str, Any]:
    until = clock.monotonic() + 5
    while clock.monotonic() < until:
        message = slot.hear(timeout=0.2)
        if message is not None and message["says"] == "ended":
            break
    return {"ok": False, "reason": "The worker was stopped.", "retry": True, "cause": "stopped"}
