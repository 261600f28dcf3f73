"""The receiving half of one channel: joins, fetches, hands over, and joins again when it stays silent."""

from __future__ import annotations

import logging
import selectors
from datetime import timedelta
from enum import StrEnum
from typing import Any

from nephos.lib import backoff, clock
from nephos.recording import cutter, desk, timeline
from nephos.recording.sources import base, errors

logger = logging.getLogger(__name__)

_FULL_BYTES = 192 * 1024  # of a source's own buffer; handed over before its time
_MOST_ROUNDS = 16  # of fetching from one source before the others have their turn
_SILENT_SECONDS = 5.0
_REOPEN = backoff.Backoff(first=timedelta(seconds=0.5), most=timedelta(seconds=10))
_REJOIN = backoff.Backoff(first=timedelta(seconds=2), most=timedelta(seconds=60))
_STEADY_SECONDS = 30.0  # of reception, after which an end is the first one again


class State(StrEnum):
    WAITING = "waiting"  # nothing came yet
    RECEIVING = "receiving"
    SILENT = "silent"  # nothing comes, for longer than a hiccup


class Receiver:
    """Receives one channel until `close`. All calls from one thread; none of them waits."""

    def __init__(
        self,
        source: base.Source,
        *,
        lane: desk.Lane,
        selector: selectors.BaseSelector,
        now: timeline.Reading,
        era: int = 0,
    ) -> None:
        self.state = State.WAITING
        self.buffer_bytes = 0
        self.due_mono = now.mono
        self.cutter = cutter.Cutter(lane, now, era=era)
        self._lane = lane
        self._selector = selector
        self._source = source
        self._is_joined = False
        self._held = 0  # bytes in the source's own buffer
        self._since = now.wall
        self._reason = ""
        self._heard_mono = self._joined_mono = now.mono
        self._patience = 0.0
        self._try_mono = now.mono  # when to join, or to join again, at the earliest
        self._tries = 0
        self._dropped = self._dropped_before = 0
        self._lane.decode_with(source)
        self._join(now.mono)

    def cut_into(self, segment_seconds: int) -> None:
        """Segments to come are so long."""
        self._lane.cut_into(segment_seconds)

    def change(self, source: base.Source, now: timeline.Reading) -> None:
        """From now on receive from there; what came until now stays in the same segments."""
        self._leave(now.mono)
        self._source = source
        self._tries, self._heard_mono = 0, now.mono
        self._lane.decode_with(source)
        self._join(now.mono)

    def fill(self, mono: float) -> int:
        """Fetch what waits; returns the bytes that came, at most a few buffers full."""
        came = 0
        try:
            for _ in range(_MOST_ROUNDS):
                held = self._source.fill()
                came += held - self._held
                self._held = held
                if held < _FULL_BYTES:
                    break
                self._held = 0
                self.cutter.put(self._source.take(), mono)
        except errors.SourceError as error:
            self._lost(error, mono)
        return came

    def arrived(self, mono: float) -> int:
        """`fill`, because the selector says that something waits."""
        came = self.fill(mono)
        if came <= 0:  # the end of a program, an empty datagram
            return came
        self._heard_mono = mono
        self.cutter.heard(mono)
        if self.state is not State.RECEIVING:
            self._tries = 0
            self._become(State.RECEIVING, mono)
        self._reason = ""
        return came

    def turn(self, now: timeline.Reading) -> None:
        """Whatever is due: handing over, a try to join, joining again after a silence."""
        if now.mono < self.due_mono:
            return
        self._hand_over(now.mono)
        self.due_mono = self.cutter.next_cut(now.mono)
        silence = now.mono - self._heard_mono
        if silence > _SILENT_SECONDS and self.state is not State.SILENT:
            self._become(State.SILENT, now.mono)
        if now.mono < self._try_mono:
            return
        if not self._is_joined:
            self._join(now.mono)
        elif silence > self._patience:
            if self.arrived(now.mono) > 0:
                return  # it begins just now: what waits in the socket was not fetched yet
            # A switch may have forgotten us, or a link was down: tell the network again that we listen.
            self.join_again(now, reason=f"Nothing came for {silence:.0f} s; tried again.")

    def join_again(self, now: timeline.Reading, *, reason: str) -> None:
        """Leave and join: whatever stands between us and the sender may have forgotten us."""
        self._reason = reason
        if self._is_joined:
            self._hand_over(now.mono, is_last=True)
            self._selector.unregister(self._source)
            self._is_joined = False
        self._join(now.mono)  # without closing first: what arrives meanwhile stays in the socket

    def anchor(self, now: timeline.Reading, *, era: int) -> None:
        """Take up the wall clock as it is now, after a step."""
        self._hand_over(now.mono, is_last=True)
        self.cutter.anchor(now, era=era)
        self.due_mono = now.mono

    def close(self, now: timeline.Reading) -> None:
        """Leave, and have written what is left."""
        self.fill(now.mono)
        self._leave(now.mono)
        self.cutter.close(now.mono)

    def facts(self) -> dict[str, Any]:
        """For the heartbeat."""
        return {
            "state": str(self.state),
            "since": clock.stamp(timeline.moment(self._since)),
            "reason": self._lane.trouble or self._reason,
            "problem": self._lane.problem if self.state is State.RECEIVING else "",
            "bytes_per_second": self.cutter.bytes_per_second,
            "cc": self._lane.continuity_errors,
            "drops": self._dropped,
            "protocol": self._lane.protocol,
            "buffer_bytes": self.buffer_bytes,
        }

    def _become(self, state: State, mono: float) -> None:
        self.state, self._since = state, self.cutter.line.utc(mono)
        logger.info("Receiver changed", extra={"channel": self._lane.slug, "state": str(state), "reason": self._reason})

    def _join(self, mono: float) -> None:
        try:
            self._source.open()
        except errors.SourceError as error:
            self._lost(error, mono)
            return
        self._selector.register(self._source, selectors.EVENT_READ, self)
        self._is_joined = True
        self._joined_mono = mono
        facts = self._source.facts()
        self._dropped_before = facts.dropped  # a socket that stayed open goes on counting
        self.buffer_bytes, self._patience = facts.buffer_bytes, facts.patience_seconds
        self._try_mono = mono + max(self._patience, _REJOIN.delay(self._tries).total_seconds())
        self._tries += 1

    def _lost(self, error: errors.SourceError, mono: float) -> None:
        if error.message != self._reason:
            logger.warning("A channel cannot be received", extra={"channel": self._lane.slug, "reason": error.message})
        self._reason = error.message
        if self._is_joined and mono - self._joined_mono > _STEADY_SECONDS and self.state is State.RECEIVING:
            self._tries = 0
        self._leave(mono)
        self._try_mono = mono + _REOPEN.delay(self._tries).total_seconds()
        self._tries += 1

    def _leave(self, mono: float) -> None:
        if not self._is_joined:
            return
        self._hand_over(mono, is_last=True)
        self._is_joined = False
        self._selector.unregister(self._source)
        self._source.close()

    def _hand_over(self, mono: float, *, is_last: bool = False) -> None:
        if self._is_joined and (is_last or self.cutter.is_over(mono)):  # asking the kernel each time costs
            dropped = self._source.facts().dropped
            self.cutter.dropped(dropped - self._dropped_before)
            self._dropped += dropped - self._dropped_before
            self._dropped_before = dropped
        self._held = 0
        self.cutter.put(self._source.take(), mono)
