"""One call of `send`: small objects go by one thread over many connections, bigger ones by a few threads."""

from __future__ import annotations

import queue
import selectors
import socket
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor

from nephos.lib import ports
from nephos.sync import errors
from nephos.sync.connections import base
from nephos.sync.connections.s3 import burst
from nephos.sync.connections.s3.calls import Calls
from nephos.sync.connections.s3.line import Line

_SLICE_SECONDS = 0.1

Deliver = Callable[[base.Item], base.Delivered]


class Dispatch:
    """Ends when there are no more items and all that were taken have an outcome."""

    def __init__(
        self, calls: Calls, profile: base.Profile, threads: Executor, most_threads: int, stop: ports.Waiter
    ) -> None:
        self._threads = threads
        self._most_threads = most_threads
        self._stop = stop
        self._selector = selectors.DefaultSelector()
        self._burst = burst.Burst(calls, profile, self._selector)
        self._running = 0
        self._done: queue.SimpleQueue[base.Outcome | BaseException] = queue.SimpleQueue()
        self._bell, self._rope = socket.socketpair()  # a thread that is done pulls the rope
        for end in (self._bell, self._rope):
            end.settimeout(0)
        self._selector.register(self._bell, selectors.EVENT_READ)

    def run(self, items: Iterable[base.Item], key_of: Callable[[str], str], deliver: Deliver) -> Iterator[base.Outcome]:
        """Outcomes as they come."""
        waiting = iter(items)
        item: base.Item | None = None
        more = True
        try:
            while True:
                while more or item is not None:
                    if self._stop.is_set():
                        more = False
                        yield from self._interrupted(item)
                        item = None
                        break
                    item = item or next(waiting, None)
                    more = item is not None
                    if item is None or not self._take(item, key_of, deliver):
                        break
                    item = None
                yield from self._outcomes()
                if not more and item is None and not self._running and not self._burst.is_busy:
                    return
                self._turn()
                if self._stop.is_set():
                    yield from self._interrupted(None)
        finally:
            self._end()

    def _take(self, item: base.Item, key_of: Callable[[str], str], deliver: Deliver) -> bool:
        """Begin with an item, if there is room for its kind."""
        if item.fingerprint.size_bytes <= burst.MOST_BYTES:
            if not self._burst.has_room:
                return False
            try:
                key = key_of(item.path)
            except errors.SyncError as error:
                self._burst.ended.append(base.Outcome(item, error=error))
            else:
                self._burst.begin(item, key)
            return True
        if self._running >= self._most_threads:
            return False
        self._running += 1
        self._threads.submit(self._work, item, deliver)
        return True

    def _work(self, item: base.Item, deliver: Deliver) -> None:
        try:
            self._done.put(base.Outcome(item, delivered=deliver(item)))
        except errors.SyncError as error:
            self._done.put(base.Outcome(item, error=error))
        except BaseException as error:  # noqa: BLE001 - handed to the thread that reads the outcomes, which raises it
            self._done.put(error)
        try:
            self._rope.send(b"!")
        except BlockingIOError:
            return  # it rings already

    def _outcomes(self) -> Iterator[base.Outcome]:
        while self._burst.ended:
            yield self._burst.ended.popleft()
        while not self._done.empty():
            outcome = self._done.get()
            self._running -= 1
            if isinstance(outcome, BaseException):
                raise outcome
            yield outcome

    def _interrupted(self, item: base.Item | None) -> Iterator[base.Outcome]:
        broken_off = [*self._burst.stop(), *([item] if item is not None else [])]
        yield from (base.Outcome(each, error=errors.Interrupted()) for each in broken_off)

    def _turn(self) -> None:
        if not self._burst.ended and self._done.empty():
            for key, _ in self._selector.select(_SLICE_SECONDS):
                if isinstance(key.data, Line):
                    self._burst.on_event(key.data)
                else:
                    self._bell.recv(4096)
        self._burst.step()

    def _end(self) -> None:
        for _ in range(self._running):  # nobody may still be sending when we say that it is over
            self._done.get()
        self._burst.close()
        self._selector.close()
        self._bell.close()
        self._rope.close()
