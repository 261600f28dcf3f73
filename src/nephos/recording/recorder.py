"""The recorder: one process and one loop for all channels; obeys the plan file, needs no database.

The loop only fetches from sockets. Everything that may take time (decoding, health, disks) is done by the desk.
"""

from __future__ import annotations

import dataclasses
import logging
import selectors
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

from nephos.config import live, load, schema
from nephos.lib import clock, heartbeats, ports, urls
from nephos.recording import desk, eras, handover, plan, receiver, timeline, windows, writer
from nephos.recording.sources import base, registry

logger = logging.getLogger(__name__)

_POLL_SECONDS = 0.25
_LONGEST_NAP = 0.1  # seldom awake, many datagrams each time: that is what makes it cheap
_SHORTEST_NAP = 0.001
_TOGETHER = 0.004
_ALERT_NAP = 0.01
_NAP_OF_MACHINE = 0.5  # seconds by which the two clocks part while the machine sleeps, and not otherwise
_KERNEL_OVERHEAD = 2  # what a datagram of 1316 bytes takes of a socket's buffer, against its size, roughly
_END_SECONDS = 0.8
_KEPT_BYTES = 16 * 1024 * 1024  # loads come and go a hundred times a second; measured: a fifth of the CPU

ReadClocks = Callable[[], timeline.Reading]


def main(loaded: load.Loaded, stop: ports.Waiter) -> None:
    """Record what the plan says until `stop` is set; then write what is left and return within a second."""
    ports.raise_open_files_limit(8192)
    ports.keep_freed_memory(_KEPT_BYTES)
    ports.go_first()  # before its threads and programs begin: they inherit it
    Recorder(loaded, stop).run()


def read_clocks() -> timeline.Reading:
    """The clocks of this machine."""
    mono = clock.elapsed()
    return timeline.Reading(wall=clock.unix(), mono=mono, slept=mono - clock.monotonic())


def _least_free_bytes(settings: schema.Settings) -> int:
    """Above it the keeper stops one booking after another."""
    return settings.recording.hard_floor_bytes // 2


@dataclass(slots=True)
class _Post:
    """One channel of the plan, received or not."""

    channel: plan.Channel
    windows: windows.Windows
    receiver: receiver.Receiver | None = None


class Recorder:
    """The loop. `clocks` is there for tests, which step them."""

    def __init__(self, loaded: load.Loaded, stop: ports.Waiter, *, clocks: ReadClocks = read_clocks) -> None:
        self._live = live.Live(loaded)
        self._all_settings = loaded.settings
        self._settings = loaded.settings.recording
        self._plan_file = loaded.home.plan_file
        self._stop = stop
        self._clocks = clocks
        self._selector = selectors.DefaultSelector()
        self._closer = writer.Closer()
        self._desk = desk.Desk(
            recordings=loaded.home.recordings,
            floor_bytes=_least_free_bytes(loaded.settings),
            heartbeat=heartbeats.Heartbeat(loaded.home.run, "recorder"),
        )
        self._posts: dict[str, _Post] = {}
        self._plan_mark: tuple[int, int] = (-1, -1)
        now = clocks()
        self._left = handover.read(loaded.home.run) or handover.from_disk(loaded.home.recordings)
        self._eras = eras.read(loaded.home.recordings)
        begun = handover.start(now, self._left)
        self._line = begun.line
        if begun.before is not None:
            self._begin_era(begun.before, now.wall, self._left.running if self._left is not None else ())
        self._slept = now.slept
        self._poll_mono = self._beat_mono = self._change_mono = now.mono
        self._nap = _LONGEST_NAP

    def run(self) -> None:
        """Until the stop event is set."""
        self._desk.start()
        try:
            self._attend(self._clocks())
            self._desk.warm_up()
            while not self._stop.is_set():
                now = self._clocks()
                self._attend(now)
                self._receive(now.mono)
        finally:
            self._end()

    def _attend(self, now: timeline.Reading) -> None:
        """What is due by the clock."""
        if now.mono >= self._poll_mono:
            self._poll_mono = now.mono + _POLL_SECONDS
            self._look_at_plan(now)
            self._open_and_close(now)
        elif now.mono >= self._change_mono:
            self._open_and_close(now)
        for post in self._posts.values():
            if post.receiver is not None:
                post.receiver.turn(now)
        if now.mono >= self._beat_mono:
            self._beat_mono = now.mono + 1.0
            self._each_second(now)

    def _receive(self, mono: float) -> None:
        """Wait for the first datagram, fetch all that wait, then nap so that more come together."""
        change_mono = self._next_mono()
        fullest = 0.0
        for key, _ in self._selector.select(max(0.0, min(change_mono, self._poll_mono, self._beat_mono) - mono)):
            one = cast("receiver.Receiver", key.data)
            came = one.arrived(self._clocks().mono)
            fullest = max(fullest, came * _KERNEL_OVERHEAD / max(1, one.buffer_bytes))
        if fullest > 0.25:
            self._nap = max(_SHORTEST_NAP, self._nap / 2)
        elif fullest < 0.1:
            self._nap = min(_LONGEST_NAP, self._nap * 1.2)
        left = change_mono - self._clocks().mono  # what else is due can wait for the end of a nap
        if fullest and left > 0:
            ports.pause(min(self._nap_now(), left))

    def _nap_now(self) -> float:
        """While a channel waits for its first datagram, when that comes shall be known well."""
        receivers = (post.receiver for post in self._posts.values())
        is_awaited = any(r is not None and r.state is receiver.State.WAITING for r in receivers)
        return min(self._nap, _ALERT_NAP) if is_awaited else self._nap

    def _next_mono(self) -> float:
        """When a window opens or closes, or channels hand over: those that do so at nearly the same time, together."""
        dues = [post.receiver.due_mono for post in self._posts.values() if post.receiver is not None]
        return min(self._change_mono, min(dues) + _TOGETHER) if dues else self._change_mono

    def _look_at_plan(self, now: timeline.Reading) -> None:
        """Take up a changed plan; one that cannot be read changes nothing."""
        try:
            found = self._plan_file.stat()
        except OSError:
            return
        mark = (found.st_mtime_ns, found.st_size)
        if mark == self._plan_mark:
            return
        self._plan_mark = mark
        try:
            fresh = plan.read(self._plan_file)
        except plan.PlanBroken as error:
            logger.error("The plan cannot be read, the old one stays in force", extra={"reason": error.message})
            return
        if fresh is not None:
            self._obey(fresh, now)

    def _obey(self, fresh: plan.Plan, now: timeline.Reading) -> None:
        for problem in fresh.problems:
            logger.error("A part of the plan cannot be used", extra={"reason": problem})
        wall = timeline.moment(now.wall)
        named = {channel.slug for channel in fresh.channels} | fresh.broken
        self._posts = {s: post for s, post in self._posts.items() if s in named or post.receiver is not None}
        left, self._left = self._left, None  # only the first plan goes on where the recorder before stopped
        for channel in fresh.channels:
            post = self._posts.setdefault(channel.slug, self._new_post(channel))
            if left is not None and left.is_of_this_boot:
                wanted = {window.booking for window in channel.windows}
                opened = {booking: one for booking, one in left.opened.items() if booking in wanted}
                post.windows.take_over(opened, {b: end for b, end in left.done.items() if b in wanted})
            moved = (post.channel.url, post.channel.interface) != (channel.url, channel.interface)
            post.channel = channel
            post.windows.replan(channel.windows, wall=wall, mono=now.mono)
            if moved and post.receiver is not None:
                logger.info("A channel moved", extra={"channel": channel.slug, "url": urls.masked(channel.url)})
                post.receiver.change(self._source(channel), now)
        for slug, post in self._posts.items():
            if slug not in named:
                post.channel = dataclasses.replace(post.channel, buffer_seconds=0)
                post.windows.replan((), wall=wall, mono=now.mono)

    def _new_post(self, channel: plan.Channel) -> _Post:
        pre_roll = timedelta(seconds=self._settings.pre_roll_seconds)
        return _Post(channel=channel, windows=windows.Windows(pre_roll=pre_roll))

    def _source(self, channel: plan.Channel) -> base.Source:
        return registry.make(channel.url, registry.options(self._all_settings, interface=channel.interface))

    def _open_and_close(self, now: timeline.Reading) -> None:
        """Join channels whose windows open, leave those whose last one closed."""
        utc = timeline.moment(self._line.utc(now.mono))
        changes = [now.mono + 3600.0]
        for post in self._posts.values():
            # A channel with a rolling buffer is received all the time, whoever wants it.
            wanted = post.windows.turn(utc=utc, mono=now.mono) or post.channel.buffer_seconds > 0
            if wanted and post.receiver is None:
                post.receiver = self._new_receiver(post.channel, now)
            elif not wanted and post.receiver is not None:
                post.receiver.close(now)
                post.receiver = None
            if post.receiver is not None:
                post.receiver.cutter.want(post.windows.bookings)
            changes.append(post.windows.next_change(utc=utc, mono=now.mono))
        self._change_mono = min(changes)

    def _new_receiver(self, channel: plan.Channel, now: timeline.Reading) -> receiver.Receiver:
        lane = desk.Lane(
            channel.slug, desk=self._desk, closer=self._closer, segment_seconds=self._settings.segment_seconds
        )
        reading = timeline.Reading(wall=self._line.utc(now.mono), mono=now.mono)
        return receiver.Receiver(
            self._source(channel), lane=lane, selector=self._selector, now=reading, era=self._eras.last
        )

    def _each_second(self, now: timeline.Reading) -> None:
        if now.slept - self._slept > _NAP_OF_MACHINE:
            self._wake(now)
        self._take_up_settings(now)
        before = self._line.utc(now.mono)
        stepped = self._line.follow(now)
        if stepped:
            self._begin_era(before, now.wall, [one for post in self._posts.values() for one in post.windows.bookings])
        reading = timeline.Reading(wall=self._line.utc(now.mono), mono=now.mono)
        for post in self._posts.values():
            if post.receiver is not None and stepped:
                post.receiver.anchor(reading, era=self._eras.last)
            elif post.receiver is not None:
                post.receiver.cutter.line.creep(reading)
        self._desk.beat(self._shown(), left=self._told(now.mono))

    def _begin_era(self, before: float, after: float, opened: Iterable[int]) -> None:
        """The clock was set. Noted before anything that is stamped by it, and on the desk: that is a disk."""
        known = self._eras.with_step(before=timeline.moment(before), after=timeline.moment(after), open_windows=opened)
        self._eras = known
        logger.warning("The wall clock was set", extra={"era": known.last, "seconds": round(after - before, 3)})
        self._desk.offer(lambda: eras.write(self._desk.recordings, known))

    def _told(self, mono: float) -> dict[str, Any]:
        return handover.told(self._line, mono, [post.windows for post in self._posts.values()])

    def _take_up_settings(self, now: timeline.Reading) -> None:
        """Sources that a change of the settings concerns are opened as it says; the others go on as they are.

        A receive buffer is asked for when a channel is joined: to join anew for it would lose what comes meanwhile.
        """
        fresh = self._live.current().settings
        old, self._all_settings = self._all_settings, fresh
        if (fresh.source, fresh.recording) == (old.source, old.recording):
            return
        self._settings = fresh.recording
        self._desk.floor_bytes = _least_free_bytes(fresh)
        for post in self._posts.values():
            post.windows.pre_roll = timedelta(seconds=fresh.recording.pre_roll_seconds)
            if post.receiver is not None:
                post.receiver.cut_into(fresh.recording.segment_seconds)
            interface = post.channel.interface
            before, after = (registry.options(one, interface=interface) for one in (old, fresh))
            if post.receiver is not None and registry.is_other(post.channel.url, before, after):
                logger.info("The settings of a source changed", extra={"channel": post.channel.slug})
                post.receiver.change(self._source(post.channel), now)

    def _wake(self, now: timeline.Reading) -> None:
        """The machine slept: switches forgot us, connections are gone."""
        logger.warning("The machine slept", extra={"seconds": round(now.slept - self._slept, 1)})
        self._slept = now.slept
        for post in self._posts.values():
            if post.receiver is not None:
                post.receiver.join_again(now, reason="The machine slept; joined again.")

    def _shown(self) -> list[dict[str, Any]]:
        return [
            {"slug": slug, "bookings": post.windows.bookings, **post.receiver.facts()}
            for slug, post in self._posts.items()
            if post.receiver is not None
        ]

    def _end(self) -> None:
        now = self._clocks()
        deadline = clock.monotonic() + _END_SECONDS
        for post in self._posts.values():
            if post.receiver is not None:
                post.receiver.close(now)
        self._desk.beat([], state="stopped", left=self._told(now.mono))
        if not self._desk.end(within=_END_SECONDS):
            logger.error("The disk is too slow, not everything that came is written")
        if not self._closer.end(within=max(0.1, deadline - clock.monotonic())):
            logger.warning("The disk is too slow to confirm the last segments")
        self._selector.close()
